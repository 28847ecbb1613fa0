"""Build and install racs_transients; all tool settings are in pyproject.toml."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


def _vendor() -> ModuleType:
    """Return web_server/vendor.py, which needs no package and is not installed yet."""
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "web_server/vendor.py")
    sys.modules["vendor"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


vendor = _vendor()


class BuildWithLibraries(build_py):
    """Puts the browser libraries into the wheel; an editable installation has those that scripts/setup fetched."""

    def run(self) -> None:
        """Build, then add the libraries."""
        super().run()
        if self.editable_mode:
            return
        try:
            vendor.copy_into(Path(self.build_lib) / "web_server")
        except vendor.FetchError as error:
            self.warn(f"The wheel is built without Bootstrap: {error}.")


# Lower bounds; an upper bound only with its reason.
INSTALL_REQUIRES = [
    "numpy>=2.0,<2.5",  # PyBDSF 1.14 crashes with numpy 2.5 (np.cross of 2-vectors)
    "scipy>=1.13",
    "astropy>=6.1",
    "pandas>=3.0",
    "matplotlib>=3.8",
    "Pillow>=11",
    "AegeanTools>=2.3.5",
    "bdsf>=1.14",
    "astroquery>=0.4.9",
    "sep>=1.4",
    "ConfigArgParse>=1.7",
    "sqlalchemy>=2.0",
    "psycopg2-binary>=2.9",
    "Django>=5.2,<5.3",  # long-term support release; 6.x drops Python 3.11
    "crispy-bootstrap5>=2025.4",
    "django-axes>=8",
    "django-crispy-forms>=2.4",
    "django-csp>=4",
    "django-filter>=25.1",
    "django-tables2>=3.0",
    "gunicorn>=23",
    "whitenoise>=6.7",
    "slack_sdk>=3.33",
    "threadpoolctl>=3.5",
    "tqdm>=4.66",
]
EXTRAS_REQUIRE = {
    "test": [
        "pytest>=8",
        "pytest-django>=4.11",
        "pytest-xdist>=3.6",
        "playwright>=1.50",  # drives Debian's Chromium; brings no browser of its own
        "setuptools>=77",  # builds the wheel that a test installs
        "hypothesis>=6.100",
        "mypy>=1.13",
        "ruff>=0.8",
        "numpydoc>=1.8",
        "pandas-stubs>=2.2",
        "types-tqdm",
        "types-psycopg2",
        "django-stubs[compatible-mypy]>=5.1",
    ],
    "casa": ["casatools", "casatasks", "casadata", "six"],  # casatasks needs six, undeclared
    "dask": ["dask[distributed]"],
}

setup(
    name="racs_transients",
    version="0.1.0",
    description="Find what appeared, vanished or changed between ASKAP images and SUMSS or NVSS",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    python_requires=">=3.11",
    packages=find_packages(include=["racs_transients*", "web_server*"]),
    package_data={
        "racs_transients": ["py.typed"],
        "web_server": [*vendor.RECIPE, "settings.py.template", "*/templates/**/*", "*/static/**/*"],
    },
    cmdclass={"build_py": BuildWithLibraries},
    # what a build needs beside pyproject.toml's list: npm, where the system has none
    setup_requires=[] if vendor.npm_command() or not any(x.missing() for x in vendor.PASSED_ON) else [vendor.NODE],
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS_REQUIRE,
    scripts=["scripts/processASKAPimage.py"],
    entry_points={"console_scripts": ["racs-transients = racs_transients.cli:main"]},
)

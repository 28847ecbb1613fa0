"""Convolution with CASA's ``imsmooth``, in a process of its own: ``casa`` on PATH, or casatasks in this Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from racs_transients.beam import Beam
from racs_transients.errors import ConfigError, ImageError

SCRIPT = "convolve2casa.py"
# A full tile takes two minutes; what takes this long hangs, seconds.
_TIME_LIMIT = 7200.0
_LAST_LINES = 5

# casatasks wants measures tables and would fetch them; casadata has them, so that no network is touched
_SITE = """\
import os
from importlib.util import find_spec
measurespath = os.path.join(os.path.dirname(find_spec("casadata").origin), "__data__")
measures_auto_update = data_auto_update = False
nologfile = nogui = agg = True
pipeline = telemetry_enabled = crashreporter_enabled = False
"""


def command(folder: Path) -> list[str]:
    """Return how CASA runs the script of a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Holds the script.

    Returns
    -------
    list of str
        The command.

    Raises
    ------
    ConfigError
        If there is no CASA.
    """
    executable = shutil.which("casa")
    if executable is not None:
        return [executable, "--nologger", "--nogui", "--nologfile", "-c", str(folder / SCRIPT)]
    if find_spec("casatasks") is not None:
        return [sys.executable, str(folder / SCRIPT)]
    raise ConfigError(
        "There is no CASA for --convolution-engine casa: no `casa` on PATH and no casatasks in this Python "
        "(pip install 'racs-transients[casa]'); leave the option out to convolve by FFT."
    )


def script(image: Path, beam: Beam, output: Path) -> str:
    """Return the Python script that makes CASA convolve an image.

    Parameters
    ----------
    image : pathlib.Path
        FITS file.
    beam : Beam
        The beam wanted, as a header states it.
    output : pathlib.Path
        FITS file to write.

    Returns
    -------
    str
        For CASA 5 and 6, whose shells know the tasks, and for a Python with casatasks.
    """
    smooth = {
        "imagename": str(image), "kernel": "gauss", "targetres": True,
        "major": f"{beam.major:.8g}arcsec", "minor": f"{beam.minor:.8g}arcsec", "pa": f"{beam.pa:.8g}deg",
        "outfile": str(output.with_suffix(".image")), "overwrite": True,
    }  # fmt: skip
    export = {"imagename": smooth["outfile"], "fitsimage": str(output), "overwrite": True}
    return (
        "try:\n    from casatasks import exportfits, imsmooth\nexcept ImportError:\n    pass\n"
        f"imsmooth(**{smooth!r})\nexportfits(**{export!r})\n"
    )


def imsmooth(image: Path, beam: Beam, folder: Path) -> Path:
    """Convolve an image with CASA.

    Parameters
    ----------
    image : pathlib.Path
        FITS file.
    beam : Beam
        The beam wanted, as a header states it.
    folder : pathlib.Path
        For the script, CASA's logs and the result.

    Returns
    -------
    pathlib.Path
        The convolved image, FITS.

    Raises
    ------
    ConfigError
        If there is no CASA.
    ImageError
        If CASA fails.
    """
    output, log = folder / "casa.fits", folder / "casa.out"
    (folder / SCRIPT).write_text(script(image, beam, output), encoding="utf-8")
    site = folder / "casasiteconfig.py"
    site.write_text(_SITE, encoding="utf-8")
    environment = os.environ | {"CASASITECONFIG": str(site), "MPLBACKEND": "Agg"}
    with log.open("w", encoding="utf-8") as stream:
        try:
            code = subprocess.run(
                command(folder), cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, timeout=_TIME_LIMIT, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ImageError(f"CASA did not convolve {image} in {_TIME_LIMIT / 3600:g} hours.") from error
        except OSError as error:
            raise ImageError(f"CASA cannot be started: {error.strerror or error}.") from error
    if code != 0 or not output.is_file():
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LAST_LINES:]
        raise ImageError(
            f"CASA could not convolve {image} (exit code {code}): {' | '.join(said) or 'it said nothing'}."
        )
    return output

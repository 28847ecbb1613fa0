"""What may import what: each layer from those below it, the site few modules, the pipeline nothing of the site."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# from the ground up; modules of one layer may import each other, though not in a circle
LAYERS = (
    "errors beam schema cache annotations calibration report_style",
    "sky tables metrics measurement_errors parallel logs runfolder list_formats casa image_lists",
    "survey surveys",
    "config arguments option_values survey_sections survey_options dbconfig options config_docs",
    "image image_files weights noise convolve smoothing cutouts",
    "crossmatch linking native blends comparison photometry flags candidates",
    "catalogues finders mosaics skyview products simulate",
    "plots report",
    "stages",
    "database",
    "pipeline site",
    "cli manage __main__",
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names.split()}
# science: columns and arrays in, columns and arrays out
PURE = (
    "beam sky calibration metrics measurement_errors crossmatch linking native blends comparison flags candidates "
    "photometry noise"
)
OF_THE_SITE = "errors schema config surveys flags tables image sky cutouts plots dbconfig"
KNOW_THE_SITE = {"database", "site", "manage"}


def modules(package):
    return [path for path in (ROOT / package).rglob("*.py") if "node_modules" not in path.parts]


def imported(path):
    """Return what a file imports from this project, as package and module; ``from package import module`` too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    own = [name.split(".") for name in found if name.split(".")[0] in ("racs_transients", "web_server")]
    return {(parts[0], parts[1] if len(parts) > 1 else "") for parts in own}


def name_of(path):
    return path.relative_to(ROOT / "racs_transients").parts[0].removesuffix(".py")


@pytest.fixture(scope="module")
def graph():
    """Each module and package below racs_transients with those it imports."""
    found = {}
    for path in modules("racs_transients"):
        others = {name for package, name in imported(path) if package == "racs_transients" and name in LEVEL}
        found.setdefault(name_of(path), set()).update(others - {name_of(path)})
    return found


def test_every_module_has_its_layer(graph):
    assert set(graph) - {"__init__"} == set(LEVEL)


def test_imports_go_down(graph):
    upwards = {(name, other) for name in LEVEL for other in graph[name] if LEVEL[other] > LEVEL[name]}
    assert upwards == set()
    TopologicalSorter(graph).prepare()  # raises CycleError where there is a circle


def test_science_reads_no_files_options_or_databases():
    for name in PURE.split():
        text = (ROOT / f"racs_transients/{name}.py").read_text(encoding="utf-8")
        calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        assert not {"open", "read_text", "read_csv"} & {getattr(f, "id", getattr(f, "attr", "")) for f in calls}, name
        assert not {"runfolder", "logs", "arguments", "options"} & {
            other for _, other in imported(ROOT / f"racs_transients/{name}.py")
        }, name


def test_the_site_takes_few_things_and_the_pipeline_nothing_from_it():
    taken = {name for path in modules("web_server") for package, name in imported(path) if package == "racs_transients"}
    assert taken - {"__version__", ""} <= set(OF_THE_SITE.split())
    knowing = {
        name_of(path)
        for path in modules("racs_transients")
        if "web_server" in {package for package, _ in imported(path)}
    }
    assert knowing <= KNOW_THE_SITE

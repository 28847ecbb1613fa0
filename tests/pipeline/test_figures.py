"""Plots, annotations and the report of whole runs."""

import importlib
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

from PIL import Image as Picture
from PIL import ImageChops

from racs_transients import schema
from racs_transients.cli import process_askap_image
from racs_transients.runfolder import RunFolder

stage = importlib.import_module("racs_transients.stages.figures")
STEM = "image.i.SIM.cont.taylor.0.restored"
DOCUMENTED = {
    "flux_ratio_image_view",
    "position_offset_from_sumss",
    "source_counts",
    "flux_ratio_vs_askap_flux",
    "flux_ratio_vs_distance_from_centre",
    "askap_source_overlay",
    "sumss_source_overlay",
}


def manifest_of(results):
    return json.loads((results / "run.json").read_text(encoding="utf-8"))


def test_a_run_draws_all_plots_under_their_documented_names(small_results):
    products = manifest_of(small_results)["products"]
    drawn = {p["kind"]: name for name, p in products.items() if p["kind"] in schema.PLOT_KINDS}
    assert set(drawn) == set(schema.PLOT_KINDS)
    assert {f"{STEM}_{name}.png" for name in DOCUMENTED} <= set(drawn.values())
    for name in drawn.values():
        assert products[name]["survey"] == "SUMSS"
        with Picture.open(small_results / name) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) >= 300
    assert not [name for name in products if name.endswith((".ann", ".reg"))]


def test_the_report_is_written_and_holds_every_candidate_and_plot(small_results):
    manifest = manifest_of(small_results)
    assert manifest["products"]["report.html"]["kind"] == "report"
    text = (small_results / "report.html").read_text(encoding="utf-8")
    HTMLParser().feed(text)
    assert text.count("<article") == manifest["surveys"]["SUMSS"]["candidates"] > 5
    assert text.count("<figure>") == len(schema.PLOT_KINDS)
    assert manifest["image"]["sha256"] in text
    assert all(word in text for word in manifest["warnings"])


def changed_pixels(before, after):
    with Picture.open(before) as one, Picture.open(after) as other:
        return one.size != other.size or ImageChops.difference(one, other).getbbox() is not None


def test_cuts_change_the_diagnostics_but_not_the_source_counts(small_command, small_results, tmp_path):
    results = tmp_path / small_results.name
    shutil.copytree(small_results, results)
    plain = [argument for argument in small_command if argument != "--transients"]
    cuts = ["--remove-extended", "--askap-ext-thresh", "1.1", "--diagnostic-max-separation", "3"]
    outputs = ["--produce-overlays", "no", "--write-ann", "yes", "--output-dir", str(tmp_path)]
    assert process_askap_image([*plain, *cuts, *outputs]) == 0

    products = manifest_of(results)["products"]
    drawn = {p["kind"]: name for name, p in products.items() if p["kind"] in schema.PLOT_KINDS}
    # without --transients the diagnostics are drawn; no overlay was asked for
    assert set(drawn) == set(list(schema.PLOT_KINDS)[:5])
    changed = {kind: changed_pixels(small_results / name, results / name) for kind, name in drawn.items()}
    assert changed == {kind: kind != "source_counts" for kind in drawn}
    assert "No transient search" in (results / "report.html").read_text(encoding="utf-8")

    written = {name for name, p in products.items() if p["kind"] == "annotation"}
    assert written == {"askap.ann", "askap.reg", "sumss.ann", "sumss.reg"}
    lines = (results / "askap.ann").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("ELLIPSE") for line in lines) == manifest_of(results)["askap_sources"]


def test_a_second_survey_has_plots_of_its_own():
    folder = RunFolder(Path(), {"image": {"path": "/d/x.fits"}, "surveys": {"SUMSS": {}, "NVSS": {}}})
    names = {
        survey: [stage.file_name(kind, survey, folder) for kind in schema.PLOT_KINDS] for survey in ("SUMSS", "NVSS")
    }
    together = names["SUMSS"] + names["NVSS"]
    assert len(set(together)) == len(together)
    assert {"x_source_counts.png", "x_position_offset_from_sumss.png"} <= set(names["SUMSS"])
    assert {"x_source_counts_nvss.png", "x_nvss_source_overlay.png"} <= set(names["NVSS"])

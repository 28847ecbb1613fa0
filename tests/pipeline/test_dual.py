"""A field where both surveys exist: each compared on its own terms, nothing lost, rows of one object linked."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from racs_transients import products, schema, sky, tables
from racs_transients.cli import process_askap_image
from racs_transients.config import Config
from racs_transients.errors import ConfigError
from racs_transients.image import read_image
from racs_transients.simulate import FieldSettings, compare_with_truth, observe_with, simulate_field
from racs_transients.stages import choose_surveys

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    settings = FieldSettings(seed=12, dec=-36.0, size=1000, new=4, vanished=4, variable=4, transient_snr=15)
    return simulate_field(settings, tmp_path_factory.mktemp("dual"))


@pytest.fixture(scope="module")
def other(field):
    return observe_with(field, "NVSS")


@pytest.fixture(scope="module")
def results(field, other, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    words = [field.image, "--transients", "--produce-overlays", "no", "--output-dir", folder]
    for files, name in ((field, "sumss"), (other, "nvss")):
        words += [f"--{name}-csv", files.catalogue, f"--{name}-mosaic-dir", files.mosaics]
    assert process_askap_image([str(word) for word in words]) == 0
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def master(results):
    return products.read_results(results)


def test_no_row_of_either_survey_is_lost(results, master):
    stem = "image.i.SIM.cont.taylor.0.restored"
    for name in ("SUMSS", "NVSS"):
        listed = tables.read_csv(results / f"{stem}_{name.lower()}_comp.csv", schema.REFERENCES)
        mine = master[master["survey"] == name]
        assert sorted(mine["ref_source_id"].dropna()) == sorted(listed["source_id"])
        assert (results / f"{stem}_{name.lower()}_askap_crossmatch_transient.csv").exists()
    assert list(master["match_id"]) == list(range(1, len(master) + 1))


def test_the_base_survey_comes_first(results, master):
    assert list(master["survey"].unique()) == ["SUMSS", "NVSS"]
    assert list(json.loads((results / "run.json").read_text())["surveys"]) == ["SUMSS", "NVSS"]


def test_rows_of_one_askap_source_have_one_object(master):
    known = master.dropna(subset="askap_source_id")
    assert known.groupby("askap_source_id")["object_id"].nunique().max() == 1
    assert (known.groupby("askap_source_id")["survey"].nunique() == 2).sum() > 20
    spread = master.groupby("object_id")[["ra", "dec"]].agg(np.ptp)
    assert (spread < 150 / 3600).all(axis=None)


def test_what_vanished_is_linked_by_position(field, master):
    truth = pd.read_csv(field.truth)
    vanished = truth[(truth["kind"] == "vanished") & truth["in_catalogue"]]
    missing = master[master["type"] == "noaskapmatch"]
    objects = []
    for name in ("SUMSS", "NVSS"):
        rows = missing[missing["survey"] == name]
        index, separation = sky.nearest(vanished["ra"], vanished["dec"], rows["ra"], rows["dec"])
        objects.append(np.where(separation < 15, rows["object_id"].to_numpy()[index], -1))
    seen = (objects[0] > 0) & (objects[1] > 0)
    assert seen.sum() >= 2
    assert (objects[0][seen] == objects[1][seen]).all()


@pytest.mark.parametrize("name", ["SUMSS", "NVSS"])
def test_each_survey_finds_the_transients_in_the_open(name, field, other, master):
    files = {"SUMSS": field, "NVSS": other}[name]
    result = compare_with_truth(pd.read_csv(files.truth), master[master["survey"] == name], files.settings)
    transients = result.transients
    east, north = sky.offsets(files.settings.ra, files.settings.dec, transients["ra"], transients["dec"])
    half = files.settings.size * files.settings.pixel / 2
    inside = np.maximum(np.abs(east), np.abs(north)) < half - 120
    open_field = transients[inside & ~transients["blocked"]]
    assert len(open_field) >= 5
    assert open_field["found"].mean() >= 0.8, open_field[["kind", "snr", "found", "reason"]]
    assert len(result.false[~result.false["truly_changed"]]) == 0


def test_near_bright_list_and_calibration_belong_to_each_survey(results):
    surveys = json.loads((results / "run.json").read_text())["surveys"]
    assert surveys["SUMSS"]["calibration"] != surveys["NVSS"]["calibration"]
    assert all(surveys[name]["references"] > 20 for name in surveys)


def test_each_survey_has_its_own_convolved_image(field, other, results, tmp_path):
    again = tmp_path / results.name
    shutil.copytree(results, again)
    words = [field.image, "--transients", "--produce-overlays", "no", "--output-dir", tmp_path, "--convolve"]
    for files, name in ((field, "sumss"), (other, "nvss")):
        words += [f"--{name}-csv", files.catalogue, f"--{name}-mosaic-dir", files.mosaics]
    assert process_askap_image([str(word) for word in words]) == 0
    stem = "image.i.SIM.cont.taylor.0.restored.convolve2"
    beams = {name: read_image(again / f"{stem}{name}.fits").beam for name in ("sumss", "nvss")}
    assert beams["sumss"].major == pytest.approx(45 / np.sin(np.deg2rad(36)), rel=1e-3)
    assert beams["nvss"].major == pytest.approx(45, rel=1e-3)
    rows = products.read_results(again)
    # numbers of sources differ from image to image; the full-resolution source links the rows
    linked = rows.dropna(subset="native_source_id").groupby("native_source_id")
    assert linked["object_id"].nunique().max() == 1
    assert (linked["survey"].nunique() == 2).sum() > 10
    assert rows["is_candidate"].sum() >= 6


@pytest.fixture(scope="module")
def anywhere(field):
    """The small image, moved to any declination."""
    image = read_image(field.image)

    def at(dec):
        wcs = image.wcs.deepcopy()
        wcs.wcs.crval = [10.0, dec]
        return dataclasses.replace(image, wcs=wcs)

    return at


def chosen(image, **options):
    config = Config(analysis=dataclasses.replace(Config().analysis, **options))
    return [survey.name for survey in choose_surveys(image, config)]


@pytest.mark.parametrize(
    ("dec", "names"),
    [
        (-60, ["SUMSS"]),
        (-43, ["SUMSS"]),
        (-42.9, ["SUMSS"]),  # NVSS does not reach a field this small
        (-39, ["SUMSS", "NVSS"]),
        (-30, ["SUMSS", "NVSS"]),
        (-29.9, ["NVSS", "SUMSS"]),
        (-28, ["NVSS"]),  # nor does SUMSS
        (-27, ["NVSS"]),
        (20, ["NVSS"]),
    ],
)
def test_the_documented_declinations(anywhere, dec, names):
    assert chosen(anywhere(dec)) == names


@pytest.mark.parametrize(
    ("dec", "only", "names"),
    [(-36, "sumss", ["SUMSS"]), (-36, "nvss", ["NVSS"]), (-29.9, "nvss", ["NVSS"]), (-60, "sumss", ["SUMSS"])],
)
def test_one_survey_by_choice(anywhere, dec, only, names):
    assert chosen(anywhere(dec), **{f"{only}_only": True}) == names


@pytest.mark.parametrize(("dec", "only"), [(-43, "nvss"), (-27, "sumss"), (-42, "nvss"), (-28, "sumss")])
def test_a_survey_that_does_not_reach_is_an_error(anywhere, dec, only):
    with pytest.raises(ConfigError, match=f"{only.upper()} does not cover"):
        chosen(anywhere(dec), **{f"{only}_only": True})


def test_a_wide_field_reaches_both(anywhere):
    image = anywhere(-28.0)
    wcs = image.wcs.deepcopy()
    wcs.wcs.cdelt = wcs.wcs.cdelt * 10
    assert chosen(dataclasses.replace(image, wcs=wcs)) == ["NVSS", "SUMSS"]

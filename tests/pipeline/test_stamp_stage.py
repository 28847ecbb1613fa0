"""The stage that makes postage stamps: files, folders, names, restart, processes, mosaics."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image as Picture

from racs_transients import products, schema
from racs_transients.beam import Beam
from racs_transients.cli import process_askap_image
from racs_transients.errors import RunFolderError
from racs_transients.plots.stamps import (
    ASKAP,
    ASKAP_CIRCLE,
    ASKAP_NATIVE,
    BASE_CATALOGUE,
    CATALOGUE_CIRCLE,
    SECOND_CATALOGUE,
)
from racs_transients.stages.stamp_contents import Planes, stamps_of
from racs_transients.stages.stamps import postage_stamps, stamp_stems
from racs_transients.surveys import NVSS
from tests.painted import CENTRE, field_of, paint, reference_table, row_table, run_in, source_table, write_mosaic

pytestmark = pytest.mark.slow

WIDE = Beam(76.6, 45.0, 0.0)
RADIUS = 4.0


def positions(count, seed=1):
    rng = np.random.default_rng(seed)
    ra = CENTRE[0] + rng.uniform(-0.12, 0.12, count) / np.cos(np.deg2rad(CENTRE[1]))
    return ra, CENTRE[1] + rng.uniform(-0.12, 0.12, count)


@pytest.fixture(scope="module")
def sky_field():
    ra, dec = positions(24)
    narrow, wide = ([[*place, 0.02, b.major, b.minor, b.pa] for place in zip(ra, dec, strict=True)] for b in (
        Beam(15.0, 12.0, 60.0), WIDE))  # fmt: skip
    native = paint(narrow, rms=2.5e-4)
    convolved = paint(wide, rms=6e-4, psf=WIDE, seed=2)
    return field_of(convolved, source_table(ra, dec), reference_table(ra[:12], dec[:12]), native)


@pytest.fixture(scope="module")
def mosaics(tmp_path_factory):
    """Two mosaics that overlap; the second one has the field deep inside."""
    folder = tmp_path_factory.mktemp("mosaics")
    for name, east, frequency in (("J0324M36.FITS", 0.75, 843.0), ("J0320M36.FITS", 0.0, 843.0)):
        centre = (CENTRE[0] + east, CENTRE[1])
        image = paint([], rms=1e-3, centre=centre, pixel=(11.0, 18.7), shape=(250, 420), psf=WIDE, frequency=frequency)
        write_mosaic(image, folder / name)
    return folder


def rows_of(count=6, **columns):
    ra, dec = positions(24)
    return row_table(ra[:count], dec[:count], **columns)


def run_with(folder, mosaics=None, **options):
    return run_in(folder, sumss_mosaic_dir=mosaics, postage_stamp_radius=RADIUS, postage_stamp_ncores=1, **options)


def found(folder, pattern):
    return sorted(str(path.relative_to(folder)) for path in folder.glob(pattern))


def test_stamps_are_sorted_and_ranked(tmp_path, sky_field, mosaics):
    kinds = ["match", "match", "match", "noaskapmatch", "nocatalogmatch", "nocatalogmatch"]
    rows = rows_of(
        type=kinds,
        flag=["Good", "Likely double", "Good", "Good", "Extended source", "Good"],
        ratio=[2.4, 3.0, 1.2, 5.0, 9.0, 4.0],
        is_candidate=[True, False, False, True, False, True],
    )
    run = run_with(tmp_path, mosaics)
    postage_stamps([sky_field], rows, run)
    name = list(rows["name"])
    bad = {1, 4}
    for folder, chosen in (("good", set(range(6)) - bad), ("bad", bad)):
        wanted = sorted(f"postage-stamps/{folder}/source_{name[i]}_postagestamps.jpg" for i in chosen)
        assert found(tmp_path, f"postage-stamps/{folder}/*") == wanted
    # candidates first, then by ratio; matches with a small ratio are no transients
    assert found(tmp_path, "transients/*/*.jpg") == [
        f"transients/askap-notseen/nocatalogmatch_001_{name[5]}.jpg",
        f"transients/askap-notseen/nocatalogmatch_002_{name[4]}.jpg",
        f"transients/large-ratio/match_001_{name[0]}.jpg",
        f"transients/large-ratio/match_002_{name[1]}.jpg",
        f"transients/no-match/noaskapmatch_001_{name[3]}.jpg",
    ]
    copy = tmp_path / f"transients/no-match/noaskapmatch_001_{name[3]}.jpg"
    assert copy.read_bytes() == (tmp_path / f"postage-stamps/good/source_{name[3]}_postagestamps.jpg").read_bytes()


def test_every_file_is_a_product_of_its_row_and_within_its_size(tmp_path, sky_field, mosaics):
    run = run_with(tmp_path, mosaics)
    postage_stamps([sky_field], rows_of(), run)
    noted = run.folder.manifest["products"]
    assert set(noted) == set(found(tmp_path, "postage-stamps/*/*"))
    for number in range(1, 7):
        kinds = {one["kind"]: path for path, one in noted.items() if one["match_id"] == number}
        assert set(kinds) == set(schema.STAMP_KINDS)
        assert (tmp_path / kinds["stamp"]).stat().st_size <= 250_000
        assert (tmp_path / kinds["stamp_web"]).stat().st_size <= 30_000
        with fits.open(tmp_path / kinds["cutout_survey"]) as hdus:
            assert hdus[0].header["BMAJ"] * 3600 == pytest.approx(76.6)
            assert hdus[0].header["RESTFRQ"] == pytest.approx(843e6)
        with Picture.open(tmp_path / kinds["stamp"]) as picture:
            assert picture.width > 3 * 460
    assert {one["survey"] for one in noted.values()} == {"SUMSS"}


def test_a_second_run_makes_only_what_is_missing_or_changed(tmp_path, sky_field, mosaics):
    rows = rows_of()
    postage_stamps([sky_field], rows, run_with(tmp_path, mosaics))

    def times():
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "postage-stamps").rglob("*.jpg")}

    first = times()
    lost = tmp_path / "postage-stamps" / "good" / f"source_{rows['name'][2]}_postagestamps.jpg"
    lost.unlink()
    again = run_with(tmp_path, mosaics)
    postage_stamps([sky_field], rows, again)
    made = {path for path, when in times().items() if when != first[path]}
    assert made == {lost, tmp_path / "postage-stamps" / "web" / lost.name}
    assert "5 from an earlier run" in again.folder.manifest["stages"][-1]["result"]

    # another verdict moves a stamp, and leaves nothing behind
    vetoed = rows.assign(flag=["Likely double", *["Good"] * 5])
    before = times()
    postage_stamps([sky_field], vetoed, run_with(tmp_path, mosaics))
    after = times()
    assert {path.parent.name for path in after if rows["name"][0] in path.name} == {"bad", "web"}
    assert {path for path in after if rows["name"][0] not in path.name and after[path] != before[path]} == set()

    # another option makes all of them new; fewer rows leave fewer files
    postage_stamps([sky_field], vetoed, run_with(tmp_path, mosaics, postage_stamp_zscale_contrast=0.5))
    assert all(when != after[path] for path, when in times().items())
    postage_stamps([sky_field], vetoed.iloc[:2], run_with(tmp_path, mosaics, postage_stamp_zscale_contrast=0.5))
    assert len(found(tmp_path, "postage-stamps/*/*.jpg")) == 4
    assert len(found(tmp_path, "postage-stamps/fits/*")) == 6
    postage_stamps([sky_field], vetoed.iloc[:2], run_with(tmp_path, None, postage_stamp_zscale_contrast=0.5))
    assert len(found(tmp_path, "postage-stamps/fits/*")) == 4


def test_several_processes_write_the_same_bytes(tmp_path, sky_field, mosaics):
    ra, dec = positions(40, seed=3)
    rows = row_table(ra, dec)
    contents = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        run = run_in(folder, sumss_mosaic_dir=mosaics, postage_stamp_radius=RADIUS, postage_stamp_ncores=processes)
        postage_stamps([sky_field], rows, run)
        contents.append({name: (folder / name).read_bytes() for name in found(folder, "postage-stamps/*/*")})
        assert not (folder / ".cache" / "stamp-planes").exists()
    assert len(contents[0]) == 5 * 40
    assert contents[0] == contents[1]


def test_transients_only(tmp_path, sky_field):
    rows = rows_of(is_candidate=[True, False, True, False, False, False])
    postage_stamps([sky_field], rows, run_with(tmp_path, postage_stamp_selection="transients"))
    stems = sorted(f"source_{rows['name'][i]}_postagestamps.jpg" for i in (0, 2))
    assert [name.rpartition("/")[2] for name in found(tmp_path, "postage-stamps/good/*")] == stems


def test_no_rows_make_no_stamps(tmp_path, sky_field):
    run = run_with(tmp_path)
    postage_stamps([sky_field], rows_of().iloc[:0], run)
    assert run.folder.manifest["products"] == {}


def test_names_of_files_are_different_for_each_row():
    rows = row_table([10.0, 10.0, 10.0, 20.0], [-36.0] * 4, survey=["SUMSS", "NVSS", "NVSS", "SUMSS"])
    stems = list(stamp_stems(rows))
    endings = ["_SUMSS", "_NVSS_2", "_NVSS_3", ""]
    assert stems == [f"source_{name}{ending}" for name, ending in zip(rows["name"], endings, strict=True)]


def test_the_mosaic_is_the_one_whose_edge_is_farthest(tmp_path, sky_field, mosaics):
    planes = Planes()
    stamps = dict(stamps_of(rows_of(), [sky_field], run_with(tmp_path, mosaics), planes))
    names = {planes.images[stamp.panels[0].plane].path.name for stamp in stamps.values()}
    assert names == {"J0320M36.FITS"}
    # east of the middle between the two the other one is better
    rows = row_table([CENTRE[0] + 0.6], [CENTRE[1]])
    _, stamp = next(stamps_of(rows, [sky_field], run_with(tmp_path, mosaics), planes))
    assert planes.images[stamp.panels[0].plane].path.name == "J0324M36.FITS"


def test_an_image_of_another_frequency_is_no_mosaic(tmp_path, sky_field, mosaics, caplog):
    folder = tmp_path / "mosaics"
    shutil.copytree(mosaics, folder)
    with fits.open(folder / "J0320M36.FITS", mode="update") as hdus:
        hdus[0].header["RESTFREQ"] = 1.4e9
    planes = Planes()
    _, stamp = next(stamps_of(rows_of(), [sky_field], run_with(tmp_path / "results", folder), planes))
    assert planes.images[stamp.panels[0].plane].path.name == "J0324M36.FITS"
    assert "J0320M36.FITS is at 1400 MHz" in caplog.text


def test_a_missing_mosaic_leaves_a_panel_that_says_so_and_no_cutout(tmp_path, sky_field, mosaics):
    rows = row_table([CENTRE[0] + 5.0, CENTRE[0]], [CENTRE[1]] * 2)
    run = run_with(tmp_path, mosaics)
    first, second = (stamp for _, stamp in stamps_of(rows, [sky_field], run, Planes()))
    assert (first.panels[0].plane, first.panels[0].absent) == (None, "no SUMSS mosaic covers this position")
    assert second.panels[0].plane is not None
    _, without = next(stamps_of(rows, [sky_field], run_with(tmp_path), Planes()))
    assert (without.panels[0].plane, without.panels[0].absent) == (None, "no SUMSS mosaics were given")
    postage_stamps([sky_field], rows, run)
    # the first one lies off the ASKAP image as well
    assert [name.rpartition("_")[2] for name in found(tmp_path, "postage-stamps/fits/*")] == [
        "askap.fits",
        "native.fits",
        "survey.fits",
    ]


def marks_of(stamp, colour):
    return [marks for marks in stamp.marks if marks.colour == colour]


def test_the_marks_of_each_category_have_the_documented_colours(tmp_path, sky_field):
    ra, dec = positions(24)
    kinds, origins = ["match", "noaskapmatch", "nocatalogmatch"], ["catalogued", "catalogued", "forced"]
    rows = row_table(ra[:3], dec[:3], type=kinds, ref_origin=origins)
    other = replace(sky_field, survey=NVSS, references=reference_table(ra[12:14], dec[12:14]))
    found = dict(stamps_of(rows, [sky_field, other], run_with(tmp_path), Planes()))
    for place, stamp in found.items():
        # the lists, clipped to the neighbourhood
        assert {len(marks_of(stamp, colour)[0].ra) > 0 for colour in (BASE_CATALOGUE, ASKAP, ASKAP_NATIVE)} == {True}
        assert len(marks_of(stamp, SECOND_CATALOGUE)) == 1
        catalogue, askap = marks_of(stamp, CATALOGUE_CIRCLE), marks_of(stamp, ASKAP_CIRCLE)
        dashes = [[marks.dash is not None for marks in some] for some in (catalogue, askap)]
        assert dashes == [[[False], [False]], [[False], [True, True]], [[True, True], [False]]][place]
        assert catalogue[0].major[0] > askap[0].major[0] == 120
    # where a flux was measured without a source is shown on the panels it was measured on
    assert marks_of(found[1], ASKAP_CIRCLE)[1].panels == (1, 2)
    assert marks_of(found[2], CATALOGUE_CIRCLE)[1].panels == (0,)
    nearest = marks_of(found[2], CATALOGUE_CIRCLE)[0]
    assert (nearest.ra[0], nearest.dec[0]) in set(zip(ra[:12], dec[:12], strict=True))


def test_stamps_that_cannot_be_written_are_one_clear_error(tmp_path, sky_field):
    (tmp_path / "postage-stamps").write_text("in the way")
    with pytest.raises(RunFolderError, match="postage-stamps"):
        postage_stamps([sky_field], rows_of(), run_with(tmp_path))


def test_the_command_makes_a_stamp_of_each_row_and_reuses_them(small_command, small_results, tmp_path):
    results = tmp_path / small_results.name
    shutil.copytree(small_results, results)
    command = [*small_command, "--postage-stamps", "yes", "--output-dir", str(tmp_path)]
    assert process_askap_image(command) == 0
    rows = products.read_results(results)
    pictures = found(results, "postage-stamps/[gb]*/*.jpg")
    assert len(pictures) == len(rows)
    assert len(found(results, "postage-stamps/good/*.jpg")) == (rows["flag"] == "Good").sum()
    when = {name: (results / name).stat().st_mtime_ns for name in pictures}
    assert process_askap_image(command) == 0
    assert {name: (results / name).stat().st_mtime_ns for name in pictures} == when
    manifest = json.loads((results / "run.json").read_text())
    stamps = [one for one in manifest["products"].values() if one["kind"] == "stamp"]
    assert sorted(one["match_id"] for one in stamps) == sorted(rows["match_id"])


@pytest.mark.realdata
def test_a_real_mosaic_as_image_and_as_survey(real_data, tmp_path):
    """Non-square pixels, blank borders, an old header: both panels show the same sky."""
    from racs_transients.mosaics import open_mosaic
    from racs_transients.surveys import SUMSS

    folder = tmp_path / "mosaics"
    folder.mkdir()
    shutil.copy(real_data / "sumss_mosaics" / "J0336M36.FITS.gz", folder)
    image = open_mosaic(folder / "J0336M36.FITS.gz", SUMSS)
    ra, dec = (float(axis) for axis in image.pixel_to_sky(700, 300))
    field = field_of(image, source_table([ra], [dec]), reference_table([ra], [dec]))
    results = tmp_path / "results"
    postage_stamps([field], row_table([ra], [dec]), run_in(results, sumss_mosaic_dir=folder))
    pieces = [fits.getdata(results / name) for name in found(results, "postage-stamps/fits/*")]
    np.testing.assert_array_equal(*pieces)
    with Picture.open(next(results.glob("postage-stamps/good/*"))) as picture:
        pixels = np.asarray(picture.convert("L")).astype(float)
    left, right = pixels[160:480, 40:440], pixels[160:480, 514:914]
    assert np.corrcoef(left.ravel(), right.ravel())[0, 1] > 0.98

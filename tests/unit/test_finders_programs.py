"""PyBDSF with our noise maps, and Selavy as its parset and its lists say; both against Aegean where they can be."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from racs_transients import sky
from racs_transients.cli import process_askap_image
from racs_transients.errors import ConfigError, SourceFinderError
from racs_transients.finders import FINDERS, ListSource, read_source_list
from racs_transients.finders.lists import read_raw_list
from racs_transients.image import read_image
from racs_transients.image_files import write_image
from racs_transients.noise import NoiseMaps, measure_noise
from racs_transients.schema import SOURCES
from tests.selavy_files import write_text
from tests.unit.test_finders_aegean import RMS, SOURCE_LIST, field, run
from tests.unit.test_finders_formats import components, islands

CATALOGUES = """
import bdsf
noise = dict(rms_map=False, rms_value=2.5e-4, mean_map="zero")
image = bdsf.process_image("image.fits", frequency=888e6, quiet=True, ncores=1, **noise)
for kind in ("gaul", "srl"):
    for form in ("csv", "fits", "ascii"):
        image.write_catalog(outfile=f"{kind}.{form}", format=form, catalog_type=kind)
"""


@pytest.fixture(scope="module")
def bdsf_catalogues(tmp_path_factory):
    """Catalogues that PyBDSF itself wrote, of the image of Aegean's tests."""
    folder = tmp_path_factory.mktemp("catalogues")
    image, noise = field(sources=SOURCE_LIST)
    write_image(image, folder / "image.fits")
    done = subprocess.run([sys.executable, "-c", CATALOGUES], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, image, noise


@pytest.mark.parametrize("kind", ["gaul", "srl"])
@pytest.mark.parametrize("form", ["csv", "fits", "ascii"])
def test_catalogues_of_pybdsf(bdsf_catalogues, kind, form):
    folder, image, noise = bdsf_catalogues
    found = read_source_list(ListSource(folder / f"{kind}.{form}", "pybdsf"), image, noise)
    x, y, peak = np.array(SOURCE_LIST).T
    index, separation = sky.nearest(*image.pixel_to_sky(x, y), found["ra"], found["dec"])
    matched = found.iloc[index]
    assert len(found) == len(SOURCE_LIST)
    assert separation.max() < 2
    assert np.abs((matched["flux_peak"].to_numpy() - peak) / matched["flux_peak_err"].to_numpy()).max() < 4
    assert matched["major"].between(13.5, 17).all()
    assert matched["minor"].between(13.5, 17).all()
    assert matched["island_components"].tolist() == [1, 2, 2, 1, 1]
    # its errors for isolated sources are those of Condon, as ours
    bright = matched[matched["flux_peak"] > 15]
    np.testing.assert_allclose(bright["finder_flux_int_err"], bright["flux_int_err"], rtol=0.1)


def test_pybdsf_uses_our_noise_on_an_image_too_small_for_its_own(tmp_path):
    image, noise = field(sources=SOURCE_LIST)
    data = image.data.copy()
    data[:20] = np.nan
    rms = np.where(np.arange(240) < 100, RMS, 100 * RMS) * np.ones((260, 1))
    rms[:20] = np.nan
    found = run(FINDERS["pybdsf"], type(image)(**{f: getattr(image, f) for f in image.__slots__} | {"data": data}),
                NoiseMaps(noise.background + RMS, rms.astype(np.float32)), tmp_path / "a",
                FINDERS["pybdsf"].settings(None))  # fmt: skip
    assert list(found.columns) == [column.name for column in SOURCES]
    x, _ = image.sky_to_pixel(found["ra"], found["dec"])
    # where the noise is called a hundred times larger nothing is significant; the background is taken off
    assert sorted(x.round()) == [40, 90]
    assert found["flux_peak"].max() == pytest.approx(50 - RMS * 1e3, abs=1)
    assert not list((tmp_path / "a").glob("*.fits"))


def test_pybdsf_that_finds_nothing_gives_an_empty_table(tmp_path):
    image, noise = field()
    loud = NoiseMaps(noise.background, noise.rms * 10)
    found = run(FINDERS["pybdsf"], image, loud, tmp_path / "a", FINDERS["pybdsf"].settings(None))
    assert list(found.columns) == [column.name for column in SOURCES]
    assert len(found) == 0


def settings_of(name, tmp_path, text):
    path = tmp_path / "settings.ini"
    path.write_text(text, encoding="utf-8")
    return dict(FINDERS[name].settings(path))


def test_settings_of_pybdsf_replace_the_defaults_and_are_python_values(tmp_path):
    (tmp_path / "rms.fits").touch()
    text = f"""[pybdsf]
thresh_pix = 7.5
rms_box = (50, 10)
mean_map = zero
adaptive_rms_box = true
detection_image = {tmp_path / "rms.fits"}
outdir = elsewhere
"""
    assert settings_of("pybdsf", tmp_path, text) == {
        "thresh_pix": 7.5, "rms_box": (50, 10), "mean_map": "zero", "adaptive_rms_box": True,
        "detection_image": str(tmp_path / "rms.fits"),
    }  # fmt: skip
    assert dict(FINDERS["pybdsf"].settings(None)) == {"ncores": 1}


def test_settings_of_pybdsf_reach_it_and_noise_of_its_own_is_said(tmp_path, caplog):
    image, noise = field(sources=SOURCE_LIST)
    settings = settings_of("pybdsf", tmp_path, "[pybdsf]\nthresh_pix=60\nrms_map=False\nrms_value=0.00025\n")
    with caplog.at_level("INFO"):
        found = run(FINDERS["pybdsf"], image, NoiseMaps(noise.background, noise.rms), tmp_path / "a", settings)
    assert len(found) == 2
    assert "measures the noise itself, as its settings say (rms_map, rms_value)" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("pybdsf", "[pybdsf]\nthresh_pixx=5\n", "unknown PyBDSF settings thresh_pixx; did you mean thresh_pix"),
        ("pybdsf", "[aegean]\na=b\n", r"no section \[pybdsf\]"),
        ("selavy", "[aegean]\na=b\n", r"no section \[selavy\]"),
        ("selavy", "snrCut=5\n", "cannot be read as Selavy settings"),
    ],
)
def test_wrong_settings(tmp_path, name, text, words):
    with pytest.raises(ConfigError, match=words) as caught:
        settings_of(name, tmp_path, text)
    assert "\n" not in str(caught.value)


def test_failure_of_pybdsf_is_one_sentence_and_the_log_shows_more(tmp_path, caplog):
    image, noise = field(sources=SOURCE_LIST)
    with pytest.raises(SourceFinderError, match=r"PyBDSF failed with exit code 1 \(") as caught:
        run(FINDERS["pybdsf"], image, noise, tmp_path / "a", {"thresh_pix": "high"})
    assert "\n" not in str(caught.value)
    assert "Traceback" in caplog.text


@pytest.mark.slow
def test_pybdsf_and_aegean_agree_on_isolated_bright_sources(small_field, tmp_path):
    image = read_image(small_field.image)
    noise = measure_noise(image)
    one, other = (
        run(FINDERS[name], image, noise, tmp_path / name, FINDERS[name].settings(None)) for name in ("aegean", "pybdsf")
    )
    compact = (one["major"] < 1.2 * image.beam.major) & (one["island_components"] == 1)
    one = one[(one["snr"] > 20) & (one["nn_separation"] > 60) & compact]
    index, separation = sky.nearest(one["ra"], one["dec"], other["ra"], other["dec"])
    paired = other.iloc[index].reset_index(drop=True)
    assert len(one) > 15
    apart = separation / np.hypot(one["ra_err"], one["dec_err"])
    assert apart.median() < 0.1
    assert apart.max() < 1.5
    for flux in ("flux_peak", "flux_int"):
        difference = ((paired[flux] - one[flux].to_numpy()) / one[f"{flux}_err"].to_numpy()).abs()
        assert difference.median() < 0.1
        assert difference.max() < 1.5
        assert (paired[flux] / one[flux].to_numpy()).median() == pytest.approx(1, abs=0.01)


@pytest.mark.slow
def test_whole_run_with_pybdsf(small_command, tmp_path):
    settings = tmp_path / "bdsf.ini"
    settings.write_text("[pybdsf]\nthresh_pix=6\nncores=1\n", encoding="utf-8")
    more = ["--sourcefinder", "pybdsf", "--pybdsf-settings-config", str(settings), "--output-dir", str(tmp_path / "o")]
    assert process_askap_image([*small_command, *more]) == 0
    folder = next((tmp_path / "o").iterdir())
    assert (folder / "pybdsf_settings_used.cfg").read_text() == settings.read_text()
    sources = pd.read_csv(next(folder.glob("*restored_comp.csv")))
    assert len(sources) > 15


STAND_IN = """#!{python}
import sys, pathlib, shutil
assert sys.argv[1] == "-c", sys.argv
lines = pathlib.Path(sys.argv[2]).read_text().splitlines()
parset = dict(line.split(" = ", 1) for line in lines)
here = pathlib.Path(__file__).parent
pathlib.Path(here / "seen.txt").write_text("\\n".join(lines))
from astropy.io import fits
header = fits.getheader(parset["Selavy.image"])
assert header["BMAJ"] > 0 and header["NAXIS"] == 2 and header["RESTFRQ"] == 888e6
base = parset["Selavy.resultsFile"].removesuffix(".txt")
print("selavy was here")
for kind in ("components", "islands"):
    if (here / f"{{kind}}.txt").exists():
        shutil.copy(here / f"{{kind}}.txt", f"{{base}}.{{kind}}.txt")
"""


@pytest.fixture
def selavy(tmp_path, monkeypatch):
    """Return a folder on the PATH with a program selavy that checks its parset and writes the lists there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "selavy"
    program.write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    image, _ = field()
    ra, dec = image.pixel_to_sky([40, 60, 80, 100, 120, 140], [50, 60, 70, 80, 90, 100])
    write_text(components(ra_deg_cont=ra.round(6), dec_deg_cont=dec.round(6)), folder / "components.txt")
    return folder


def parset_seen(folder):
    return dict(line.split(" = ", 1) for line in (folder / "seen.txt").read_text().splitlines())


@pytest.mark.parametrize("with_islands", [False, True])
def test_selavy_gets_the_documented_parset_and_its_lists_are_read(selavy, tmp_path, with_islands):
    if with_islands:
        write_text(islands(), selavy / "islands.txt")
    image, noise = field()
    found = run(FINDERS["selavy"], image, noise, tmp_path / "a", FINDERS["selavy"].settings(None))
    assert parset_seen(selavy) == {
        "Selavy.image": "image.fits", "Selavy.imagetype": "fits", "Selavy.resultsFile": "selavy-results.txt",
        "Selavy.snrCut": "5", "Selavy.flagGrowth": "true", "Selavy.growthCut": "3",
        "Selavy.VariableThreshold": "true", "Selavy.VariableThreshold.boxSize": "50",
        "Selavy.nsubx": "1", "Selavy.nsuby": "1", "Selavy.Fitter.doFit": "true", "Selavy.Fitter.fitTypes": "[full]",
        "Selavy.Fitter.numGaussFromGuess": "true", "Selavy.flagAdjacent": "false", "Selavy.threshSpatial": "5",
        "Selavy.minPix": "3", "Selavy.minVoxels": "3", "Selavy.minChannels": "1", "Selavy.sortingParam": "-pflux",
    }  # fmt: skip
    assert len(found) == 6
    assert sorted(found["flux_peak"]) == pytest.approx(sorted(components()["flux_peak"]))
    assert found["island_components"].max() == (4 if with_islands else 3)
    assert not list((tmp_path / "a").glob("*.fits"))


def test_settings_of_selavy_replace_the_defaults_and_share_the_work_out(selavy, tmp_path):
    mpirun = selavy / "mpirun"
    mpirun.write_text('#!/bin/sh\n[ "$1 $2" = "-n 7" ] || exit 3\nshift 2\nexec "$@"\n', encoding="utf-8")
    mpirun.chmod(0o755)
    text = "[selavy]\nSelavy.snrCut=6\nnsubx=3\nnsuby=2\nFitter.fitTypes=[full, psf]\nimage=other.fits\n"
    image, noise = field()
    assert len(run(FINDERS["selavy"], image, noise, tmp_path / "a", settings_of("selavy", tmp_path, text))) == 6
    assert parset_seen(selavy) == {
        "Selavy.image": "image.fits", "Selavy.imagetype": "fits", "Selavy.resultsFile": "selavy-results.txt",
        "Selavy.snrCut": "6", "Selavy.nsubx": "3", "Selavy.nsuby": "2", "Selavy.Fitter.fitTypes": "[full, psf]",
    }  # fmt: skip


def test_selavy_that_leaves_no_list_is_an_error_with_its_last_words(selavy, tmp_path):
    (selavy / "components.txt").unlink()
    with pytest.raises(SourceFinderError, match=r"Selavy failed with no selavy-results.components.txt \(selavy was"):
        run(FINDERS["selavy"], *field(), tmp_path / "a", FINDERS["selavy"].settings(None))


def test_without_selavy_the_user_is_told_to_give_a_list(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceFinderError, match=r"no program selavy on the PATH.* --askap-csv .* --askap-islands-csv"):
        run(FINDERS["selavy"], *field(), tmp_path / "a", FINDERS["selavy"].settings(None))


def test_without_mpirun_selavy_cannot_share_the_work_out(selavy, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(selavy))
    with pytest.raises(SourceFinderError, match=r"among 4 processes .* no program mpirun"):
        run(FINDERS["selavy"], *field(), tmp_path / "a", {"nsubx": "2", "nsuby": "2"})


@pytest.mark.slow
def test_whole_run_with_selavy(selavy, small_field, small_command, tmp_path):
    truth = pd.read_csv(small_field.truth)
    bright = truth[truth["askap_flux"] > 3].head(40)
    table = pd.DataFrame(
        {
            "island_id": [f"SB1_island_{n}" for n in range(len(bright))], "ra_deg_cont": bright["ra"],
            "dec_deg_cont": bright["dec"], "flux_peak": bright["askap_flux"], "flux_int": bright["askap_flux"],
            "maj_axis": 15.0, "min_axis": 12.0, "pos_ang": 60.0, "flag_c4": 0,
        }
    )  # fmt: skip
    write_text(table, selavy / "components.txt")
    with fits.open(small_field.image) as hdus:
        frequency = hdus[0].header.get("RESTFRQ", hdus[0].header.get("CRVAL3"))
    program = selavy / "selavy"
    program.write_text(program.read_text().replace("888e6", str(float(frequency))))
    more = ["--sourcefinder", "selavy", "--output-dir", str(tmp_path / "o")]
    assert process_askap_image([*small_command, *more]) == 0
    assert (selavy / "seen.txt").exists()


@pytest.mark.slow
def test_lists_of_two_images_by_pattern_and_in_order(small_field, small_command, small_results, tmp_path):
    listed = pd.read_csv(next(small_results.glob("*restored_comp.csv")), comment="#")
    columns = "ra=ra [deg],dec=dec,flux_peak=flux_peak [mJy/beam],flux_int=flux_int [mJy],major=major [arcsec]"
    columns += ",minor=minor [arcsec],pa=pa,island=island_id,rms=rms [mJy]"
    images = []
    for name, rows in (("one", listed), ("two", listed.iloc[::2])):
        images.append(tmp_path / f"{name}.fits")
        images[-1].symlink_to(small_field.image)
        rows.to_csv(tmp_path / f"{name}_list.csv", index=False)
    command = [*map(str, images), *small_command[1:-1], "--askap-columns", columns]
    for number, text in enumerate(("{here}/{{image}}_list.csv", "{here}/one_list.csv,{here}/two_list.csv")):
        out = tmp_path / f"o{number}"
        given = ["--askap-csv", text.format(here=tmp_path), "--output-dir", str(out)]
        assert process_askap_image([*command, *given]) == 0
        found = [len(read_raw_list(ListSource(out / f"{n}_results" / f"{n}_comp.csv", columns=columns))) for n in
                 ("one", "two")]  # fmt: skip
        assert found == [len(listed), len(listed.iloc[::2])]

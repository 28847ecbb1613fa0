"""Aegean: its settings, its process, and that sharing the work changes nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from racs_transients import sky
from racs_transients.beam import FWHM_PER_SIGMA, Beam
from racs_transients.errors import ConfigError, SourceFinderError
from racs_transients.finders import FINDERS, aegean, good_fits, stripes
from racs_transients.finders.aegean import DEFAULT_SETTINGS, OUTPUT, Aegean
from racs_transients.finders.stripes import share_out, stripe_data
from racs_transients.image import Image
from racs_transients.noise import NoiseMaps
from racs_transients.schema import SOURCES

RMS = 2.5e-4
PIXELS = 5


def field(shape=(260, 240), sources=(), seed=1):
    """Return an image of noise with (x, y, peak in mJy) sources, and flat noise maps."""
    width = PIXELS / FWHM_PER_SIGMA / np.sqrt(2)
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), width, mode="wrap")
    data = RMS * noise * np.sqrt(4 * np.pi) * width
    y, x = np.indices(shape)
    for column, row, peak in sources:
        data += 1e-3 * peak * np.exp(-((x - column) ** 2 + (y - row) ** 2) / 2 * (FWHM_PER_SIGMA / PIXELS) ** 2)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---SIN", "DEC--SIN"
    wcs.wcs.crval = 320.0, -55.0
    wcs.wcs.crpix = shape[1] / 2, shape[0] / 2
    wcs.wcs.cdelt = -3 / 3600, 3 / 3600
    image = Image(Path("field.fits"), data.astype(np.float32), wcs, 888.0, Beam(15, 15))
    return image, NoiseMaps(np.zeros(shape, np.float32), np.full(shape, RMS, np.float32))


SOURCE_LIST = [(40.3, 30.1, 20.0), (120.0, 128.5, 9.0), (126.5, 130.0, 7.0), (200.7, 131.2, 4.0), (90.0, 220.4, 50.0)]


def run(finder, image, noise, folder, settings=DEFAULT_SETTINGS):
    folder.mkdir()
    finder.find(image, noise, settings, folder)
    return finder.read(folder, image, noise, flux_error=0.0)


def test_sources_are_found_where_and_as_bright_as_they_are(tmp_path):
    image, noise = field(sources=SOURCE_LIST)
    found = run(Aegean(), image, noise, tmp_path / "a")
    assert list(found.columns) == [column.name for column in SOURCES]
    # only small products stay, and none of Aegean's random ids
    assert not list((tmp_path / "a").rglob("*.fits"))
    assert "uuid" not in (tmp_path / "a" / OUTPUT).read_text()
    x, y, peak = np.array(SOURCE_LIST).T
    index, separation = sky.nearest(*image.pixel_to_sky(x, y), found["ra"], found["dec"])
    assert len(found) == len(SOURCE_LIST)
    assert separation.max() < 2
    matched = found.iloc[index]
    assert np.abs((matched["flux_peak"].to_numpy() - peak) / matched["flux_peak_err"].to_numpy()).max() < 4
    assert matched["island_components"].tolist() == [1, 2, 2, 1, 1]
    assert matched["island_id"].nunique() == 4
    np.testing.assert_allclose(matched["snr"], matched["flux_peak"] / (RMS * 1e3))
    assert matched["nn_separation"].iloc[1] == pytest.approx(np.hypot(6.5, 1.5) * 3, abs=3)


@pytest.mark.slow
def test_result_depends_neither_on_stripes_nor_on_processes(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    crowd = [
        *SOURCE_LIST,
        *zip(rng.uniform(10, 230, 8), rng.uniform(10, 250, 8), rng.uniform(3, 30, 8), strict=True),
    ]
    image, noise = field(sources=crowd)
    whole = run(Aegean(processes=1), image, noise, tmp_path / "whole")
    outputs = []
    for processes in (1, 2):
        monkeypatch.setattr(aegean, "share_out", lambda *a, **k: share_out(*a, **k, islands_per_stripe=2))
        cut = run(Aegean(processes=processes), image, noise, tmp_path / str(processes))
        pd.testing.assert_frame_equal(cut.drop(columns="island_id"), whole.drop(columns="island_id"), rtol=1e-6)
        outputs.append((tmp_path / str(processes) / OUTPUT).read_bytes())
    assert outputs[0] == outputs[1]
    assert len(whole) > 8


def test_nothing_found_is_an_empty_table(tmp_path):
    image, noise = field()
    found = run(Aegean(), image, NoiseMaps(noise.background, noise.rms * 10), tmp_path / "a")
    assert len(found) == 0
    assert list(found.columns) == [column.name for column in SOURCES]


@pytest.mark.slow
def test_settings_reach_aegean(tmp_path):
    image, noise = field(sources=SOURCE_LIST)
    bright = run(Aegean(), image, noise, tmp_path / "bright", {"seedclip": 60.0, "floodclip": 4.0, "nocov": True})
    single = run(Aegean(), image, noise, tmp_path / "one", {**DEFAULT_SETTINGS, "maxsummits": 1})
    forced = run(Aegean(), image, noise, tmp_path / "forced", {**DEFAULT_SETTINGS, "forcerms": 4e-3})
    assert len(bright) == 2
    assert (single["finder_flags"] != 0).any()
    assert len(good_fits(single)) < len(single)
    assert len(forced) == 1


def test_failure_is_one_sentence_and_the_log_shows_more(tmp_path, monkeypatch, caplog):
    image, noise = field(sources=SOURCE_LIST)
    monkeypatch.setattr(aegean, "_arguments", lambda settings: {"no_such_argument": 1})
    with pytest.raises(SourceFinderError, match=r"Aegean failed with exit code 1 .*no_such_argument") as caught:
        run(Aegean(), image, noise, tmp_path / "a")
    assert "\n" not in str(caught.value)
    assert "Traceback" in caplog.text


def test_aegean_that_does_not_end_is_stopped(tmp_path, monkeypatch):
    image, noise = field(sources=SOURCE_LIST)
    started = []
    monkeypatch.setattr(aegean, "TIME_LIMIT_S", 0)
    real = subprocess.Popen

    def sleeper(command, **options):
        started.append(real([sys.executable, "-c", "import time; time.sleep(600)"], **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", sleeper)
    with pytest.raises(SourceFinderError, match="did not end"):
        run(Aegean(), image, noise, tmp_path / "a")
    assert started
    assert all(process.poll() is not None for process in started)


@pytest.mark.parametrize("islands_per_stripe", [1, 3, 1000])
def test_every_island_is_whole_in_one_stripe_and_hidden_in_the_others(islands_per_stripe):
    image, noise = field(sources=SOURCE_LIST)
    islands = share_out(image.data, noise.background, noise.rms, seed=5, flood=4, islands_per_stripe=islands_per_stripe)
    everywhere = np.concatenate([stripe.islands for stripe in islands.stripes])
    assert len(everywhere) == len(set(everywhere)) == 4
    for stripe in islands.stripes:
        piece = stripe_data(image.data, noise.background, islands, stripe)
        seen = islands.labels[stripe.start : stripe.stop][piece > 5 * RMS]
        assert set(seen) == set(stripe.islands)
        for label in stripe.islands:
            assert (islands.labels == label).sum() == (islands.labels[stripe.start : stripe.stop] == label).sum()


def test_blocks_of_rows_do_not_matter(monkeypatch):
    image, noise = field(sources=SOURCE_LIST)
    arguments = (image.data, noise.background, noise.rms)
    whole = share_out(*arguments, seed=5, flood=4)
    monkeypatch.setattr(stripes, "_BLOCK", 7)
    np.testing.assert_array_equal(share_out(*arguments, seed=5, flood=4).labels, whole.labels)


def test_blank_pixels_belong_to_no_island():
    image, noise = field(sources=SOURCE_LIST)
    data, rms = image.data.copy(), noise.rms.copy()
    data[:60], rms[:60] = np.nan, np.nan
    islands = share_out(data, noise.background, rms, seed=5, flood=4)
    assert not islands.labels[:60].any()


def settings_of(tmp_path, text):
    path = tmp_path / "aegean.ini"
    path.write_text(text, encoding="utf-8")
    return Aegean().settings(path)


def test_without_a_file_the_documented_defaults():
    assert dict(FINDERS["aegean"].settings(None)) == {
        "cores": 1, "maxsummits": 5, "seedclip": 5.0, "floodclip": 4.0, "nocov": True,
    }  # fmt: skip


def test_settings_file_replaces_the_defaults(tmp_path):
    found = settings_of(tmp_path, "[aegean]\nseedclip=6\nnocov=false\nnegative=true\nautoload=true\nbeam=0.01 0.01 0\n")
    assert dict(found) == {"seedclip": 6.0, "negative": True, "beam": [0.01, 0.01, 0.0]}
    assert aegean._arguments(found)["docov"] is True
    assert aegean._arguments(found)["nonegative"] is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[aegean]\nseadclip=5\n", "unknown Aegean settings seadclip; known are cores"),
        ("[aegean]\nseedclip=five\n", "seedclip should be a number"),
        ("[aegean]\nmaxsummits=2.5\n", "maxsummits should be a whole number"),
        ("[aegean]\nnocov=maybe\n", "nocov should be true or false"),
        ("[aegean]\nregion=/no/such.mim\n", "region should be a file that exists"),
        ("[aegean]\nbeam=0.1 0.1\n", "beam should be major and minor axis"),
        ("[selavy]\na=b\n", "no section"),
        ("seedclip=5\n", "cannot be read"),
    ],
)
def test_wrong_settings(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words) as caught:
        settings_of(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_missing_settings_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        Aegean().settings(tmp_path / "none.ini")

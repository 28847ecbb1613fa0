"""Survey images from a server that answers like SkyView."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racs_transients import sky
from racs_transients.errors import ImageError
from racs_transients.mosaics import assign_mosaics, measure_on_mosaics, open_mosaic
from racs_transients.skyview import SIDE, fetch_tiles, tile_centres
from racs_transients.surveys import NVSS, RACS_LOW, SUMSS
from tests.servers import LocalSkyView, serving_skyview

RA, DEC = 359.9, -55.1
SOURCES = [(RA, DEC, 60.0), (0.6, -55.3, 150.0)]


@pytest.fixture
def skyview():
    with serving_skyview(LocalSkyView(SUMSS, SOURCES)) as server:
        yield server


def fetch(skyview, tmp_path, ra=(RA,), dec=(DEC,), survey=SUMSS):
    return fetch_tiles(survey, ra, dec, cache_dir=tmp_path, url=skyview.url, pause=0.01)


def test_fluxes_are_measured_on_tiles_and_the_query_says_what_is_wanted(skyview, tmp_path):
    ra, dec, flux = np.transpose(SOURCES)
    tiles = fetch(skyview, tmp_path, ra, dec)
    assert len(tiles) == len(skyview.queries) == 2
    query = skyview.queries[0]
    assert (query["survey"], query["projection"], query["Sampler"]) == ("SUMSS 843 MHz", "Sin", "Lanczos3")
    assert query["size"] == "1.25,1.25"
    image = open_mosaic(tiles[0].path, SUMSS)
    assert image.frequency == 843
    assert image.beam.major == pytest.approx(float(SUMSS.beam_axes(tiles[0].dec)[0]))
    found = measure_on_mosaics(tiles, SUMSS, ra, dec)
    assert (np.abs(found["flux"] - flux) < 4 * np.hypot(found["flux_err"], 0.01 * flux)).all()
    assert found["rms"].to_numpy() == pytest.approx([1, 1], rel=0.2)


def test_a_tile_is_asked_for_once(skyview, tmp_path):
    first = fetch(skyview, tmp_path)
    assert fetch(skyview, tmp_path, [RA + 0.01], [DEC + 0.01]) == first
    assert len(skyview.queries) == 1
    first[0].path.write_bytes(first[0].path.read_bytes()[:10000])
    assert fetch(skyview, tmp_path) == first
    assert len(skyview.queries) == 2


@pytest.mark.parametrize("fault", [503, b"<html>No data found</html>", b'<a href="/nothing/0.txt">FITS</a>'])
def test_passing_faults_are_retried_and_lasting_ones_are_one_sentence(skyview, tmp_path, fault, caplog):
    skyview.failures = [fault]
    assert len(fetch(skyview, tmp_path / "a")) == 1
    assert "asking again" in caplog.text
    skyview.failures = [fault] * 3
    with pytest.raises(ImageError, match=r"from SkyView after 3 tries .*--fetch-mosaics"):
        fetch(skyview, tmp_path / "b")
    assert not list((tmp_path / "b").rglob("*.fits"))


def test_a_truncated_file_is_never_kept(skyview, tmp_path):
    whole = skyview.fits
    skyview.fits = lambda query: whole(query)[:20000]
    with pytest.raises(ImageError, match="after 3 tries"):
        fetch(skyview, tmp_path)
    assert not list(tmp_path.rglob("*.fits"))


def test_an_image_of_another_place_is_refused(skyview, tmp_path):
    whole = skyview.fits
    skyview.fits = lambda query: whole(query | {"Position": "10 10"})
    with pytest.raises(ImageError, match="another place"):
        fetch(skyview, tmp_path)


def test_a_blank_answer_is_no_image_and_a_partial_one_covers_its_part(skyview, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        skyview.blank = lambda ra, dec: np.ones(ra.shape, bool)
        assert fetch(skyview, tmp_path) == []
    assert "no pixels of SUMSS on 1 of 1 tiles" in caplog.text
    skyview.blank = lambda ra, dec: dec > DEC - 0.05
    tiles = fetch(skyview, tmp_path)
    assert assign_mosaics(tiles, SUMSS, [RA, RA], [DEC, DEC - 0.15]).tolist() == [-1, 0]


def test_a_survey_that_skyview_lacks_is_said(skyview, tmp_path, caplog):
    assert fetch(skyview, tmp_path, survey=RACS_LOW) == []
    assert "SkyView has no images of RACS-low" in caplog.text
    assert skyview.queries == []


def test_a_server_that_is_down_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"NVSS image .* could not be fetched"):
        fetch_tiles(NVSS, [0.0], [0.0], cache_dir=tmp_path, url="http://127.0.0.1:9/x", pause=0.01)


@given(st.floats(0, 359.999), st.floats(-90, 90))
def test_every_position_is_in_a_tile_with_a_quarter_of_a_degree_around_it(ra, dec):
    centre_ra, centre_dec = tile_centres([ra], [dec])
    east, north = sky.offsets(centre_ra, centre_dec, [ra], [dec])
    if abs(dec) < 85:
        assert max(abs(east[0]), abs(north[0])) / 3600 <= SIDE / 2 - 0.24
    assert len(centre_ra) == 1

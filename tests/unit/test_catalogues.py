"""Reference catalogues: from a server that answers like VizieR, and from files."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racs_transients.catalogues import fetch_reference, query_radius, read_reference_file
from racs_transients.catalogues.guard import check_coverage, expected_count
from racs_transients.errors import CatalogueError
from racs_transients.surveys import NVSS, SUMSS

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.servers import LocalVizier, serving

RA, DEC = 315.0, -55.0
MAIN, MGPS = SUMSS.vizier_tables


def sumss_rows(n=600, half=2.5, ra=RA, dec=DEC, seed=1):
    rng = np.random.default_rng(seed)
    decs = dec + rng.uniform(-half, half, n)
    flux = np.round(8 * (1 - rng.uniform(0, 0.98, n)) ** -1, 1)
    return pd.DataFrame(
        {
            "_RAJ2000": (ra + rng.uniform(-half, half, n) / np.cos(np.deg2rad(dec))) % 360, "_DEJ2000": decs,
            "e_RAJ2000": 1.5, "e_DEJ2000": 1.7, "Sp": flux, "e_Sp": 1.3, "St": flux, "e_St": 1.4,
            "MajAxis": 60.0, "MinAxis": 46.0, "PA": 10.0, "Mosaic": "J2100M56", "MGPS": "", "E": "",
        }
    )  # fmt: skip


def nvss_rows(n=1300, half=2.5, ra=120.0, dec=-20.0):
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "_RAJ2000": ra + rng.uniform(-half, half, n) / np.cos(np.deg2rad(dec)),
            "_DEJ2000": dec + rng.uniform(-half, half, n), "e_RAJ2000": 0.1, "e_DEJ2000": 1.0,
            "S1.4": np.round(3 / rng.uniform(0.01, 1, n), 1), "e_S1.4": 0.6,
            "l_MajAxis": np.where(np.arange(n) % 2, "<", ""), "MajAxis": 30.0,
            "l_MinAxis": np.where(np.arange(n) % 2, "<", ""), "MinAxis": 20.0, "PA": 45.0,
        }
    )  # fmt: skip


@pytest.fixture
def vizier():
    with serving(LocalVizier({MAIN: sumss_rows(), "VIII/65/nvss": nvss_rows()})) as server:
        yield server


def fetch(vizier, tmp_path, survey=SUMSS, ra=RA, dec=DEC, **options):
    return fetch_reference(survey, ra, dec, 1.0, cache_dir=tmp_path, url=vizier.url, pause=0.01, **options)


def test_a_catalogue_comes_from_vizier_without_row_limit(vizier, tmp_path):
    table = fetch(vizier, tmp_path)
    query = vizier.queries[0]
    assert query["-out.max"] == "unlimited"
    assert query["-source"] == ",".join(SUMSS.vizier_tables)
    assert float(query["-c.rd"]) >= 1.5
    assert 100 < len(table) < 600
    assert table["flux_int"].between(8, 500).all()
    assert table["mosaic"].eq("J2100M56").all()
    assert table["name"].str.match(r"SUMSS J\d{6}\.\d-\d{6}$").all()


def test_the_second_time_it_comes_from_the_cache(vizier, tmp_path):
    first, second = fetch(vizier, tmp_path), fetch(vizier, tmp_path)
    assert len(vizier.queries) == 1
    pd.testing.assert_frame_equal(first, second)


def test_a_damaged_cache_is_fetched_anew(vizier, tmp_path, caplog):
    first = fetch(vizier, tmp_path)
    next(tmp_path.glob("*.ecsv")).write_text("garbage")
    second = fetch(vizier, tmp_path)
    assert len(vizier.queries) == 2
    assert "damaged" in caplog.text
    assert len(first) == len(second)


def test_passing_faults_are_retried(vizier, tmp_path):
    vizier.failures = [500, b"<VOTABLE this is no xml"]
    assert len(fetch(vizier, tmp_path)) > 100


@pytest.mark.parametrize("fault", [500, 503, b"<html>busy</html>", b""])
def test_lasting_faults_are_one_sentence_and_never_cached(vizier, tmp_path, fault):
    vizier.failures = [fault] * 3
    with pytest.raises(CatalogueError, match=r"VizieR after 3 tries .*--sumss-csv"):
        fetch(vizier, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_answer_is_an_error_not_an_empty_sky(vizier, tmp_path):
    vizier.tables = {}
    with pytest.raises(CatalogueError, match="empty"):
        fetch(vizier, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_fifty_rows_only_are_refused(vizier, tmp_path):
    vizier.row_limit = 50
    with pytest.raises(CatalogueError, match="too few"):
        fetch(vizier, tmp_path)


def test_a_server_that_is_down_is_named(tmp_path):
    with pytest.raises(CatalogueError, match="--nvss-csv"):
        fetch_reference(NVSS, 0, 0, 1, cache_dir=tmp_path, url="http://127.0.0.1:9/x", pause=0.01)


def test_mgps_2_completes_sumss_without_doubles(vizier, tmp_path):
    main = vizier.tables[MAIN]
    extra = sumss_rows(40, seed=9)
    repeated = main.iloc[:30].assign(_DEJ2000=main["_DEJ2000"].iloc[:30] + 5 / 3600)
    vizier.tables[MGPS] = pd.concat([extra, repeated], ignore_index=True)
    alone = len(fetch(vizier, tmp_path / "a"))
    vizier.tables[MGPS] = extra
    assert len(fetch(vizier, tmp_path / "b")) == alone


def test_nvss_position_errors_in_seconds_of_time_become_arcsec(vizier, tmp_path):
    table = fetch(vizier, tmp_path, NVSS, 120.0, -20.0)
    np.testing.assert_allclose(table["ra_err"], 1.5 * np.cos(np.deg2rad(table["dec"])))
    np.testing.assert_allclose(table["dec_err"], 1.0)


def test_nvss_sizes_are_convolved_with_the_beam_and_limits_are_points(vizier, tmp_path):
    table = fetch(vizier, tmp_path, NVSS, 120.0, -20.0)
    limit = table["size_is_limit"]
    assert limit.any()
    assert not limit.all()
    assert (table.loc[limit, ["major", "minor"]] == 45).all(axis=None)
    np.testing.assert_allclose(table.loc[~limit, "major"], np.hypot(45, 30))
    np.testing.assert_allclose(table.loc[~limit, "minor"], np.hypot(45, 20))
    np.testing.assert_allclose(
        table.loc[~limit, "flux_peak"] / table.loc[~limit, "flux_int"], 45**2 / (np.hypot(45, 30) * np.hypot(45, 20))
    )


def test_a_contradicting_unit_is_refused(vizier, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules["servers"].UNITS, "St", "arcsec")
    with pytest.raises(CatalogueError, match="St is in arcsec"):
        fetch(vizier, tmp_path)


def test_fluxes_in_jy_are_converted(vizier, tmp_path, monkeypatch):
    in_mjy = fetch(vizier, tmp_path / "a")
    monkeypatch.setitem(sys.modules["servers"].UNITS, "St", "Jy")
    in_jy = fetch(vizier, tmp_path / "b")
    np.testing.assert_allclose(in_jy["flux_int"], in_mjy["flux_int"] * 1e3)


@pytest.mark.parametrize("separator", [",", ";"])
def test_files_with_commas_or_semicolons_read_alike(tmp_path, separator):
    sumss_rows().to_csv(tmp_path / "t.csv.gz", sep=separator, index=False)
    assert len(read_reference_file(tmp_path / "t.csv.gz", SUMSS)) == 600


def test_a_short_file_is_a_warning_and_an_empty_region_an_error(tmp_path, caplog):
    sumss_rows(60).to_csv(tmp_path / "t.csv", index=False)
    assert len(read_reference_file(tmp_path / "t.csv", SUMSS, region=(RA, DEC, 1.5))) > 5
    assert "will look new" in caplog.text
    with pytest.raises(CatalogueError, match="no source within"):
        read_reference_file(tmp_path / "t.csv", SUMSS, region=(100.0, DEC, 1.5))


def test_genuine_vizier_rows_read(real_data):
    for survey in (SUMSS, NVSS):
        path = real_data / f"reference_catalogues/{survey.name.lower()}_bright_sources.csv.gz"
        table = read_reference_file(path, survey)
        assert (table["flux_int"] >= survey.bright_mjy).all()
        assert (table["major"] >= 0.95 * table["beam_major"]).mean() > 0.9
        assert table["ra_err"].median() < 3


def test_the_whole_of_sumss_is_cut_to_a_region(real_data):
    path = real_data / "reference_catalogues/sumss_vizier_columns_derived.csv.gz"
    table = read_reference_file(path, SUMSS, region=(0.0, -60.0, 3.0))
    assert (table["ra"] > 350).any()
    assert (table["ra"] < 10).any()
    assert len(table) == pytest.approx(expected_count(SUMSS, 0.0, -60.0, 3.0), rel=0.25)


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 360), st.floats(-90, 90), st.floats(1.5, 8))
def test_expected_counts_are_density_times_the_covered_area(ra, dec, radius):
    whole = 2 * np.pi * (1 - np.cos(np.deg2rad(radius))) * np.rad2deg(1) ** 2
    assert -1e-9 <= expected_count(SUMSS, ra, dec, radius) <= 31.3 * whole * 1.001
    if -50 + radius < dec < -30 - radius:
        assert expected_count(SUMSS, ra, dec, radius) == pytest.approx(21.5 * whole, rel=0.01)


def test_a_field_at_the_edge_of_the_survey_asks_for_more(tmp_path):
    assert query_radius(SUMSS, 10.0, -60.0, 0.3) == 1.5
    wide = query_radius(SUMSS, 10.0, -29.0, 0.3)
    assert wide > 1.5
    assert expected_count(SUMSS, 10.0, -29.0, wide) >= 30


@pytest.mark.parametrize(
    ("found", "accepted"), [(220, True), (150, True), (300, True), (50, False), (20, False), (900, False)]
)
def test_the_guard_refuses_only_what_is_implausible(found, accepted):
    rng = np.random.default_rng(0)
    radius = 1.5
    distance, angle = radius * np.sqrt(rng.uniform(size=found)) * 0.999, rng.uniform(0, 2 * np.pi, found)
    table = pd.DataFrame(
        {"ra": 100 + distance * np.cos(angle) / np.cos(np.deg2rad(-60)), "dec": -60 + distance * np.sin(angle)}
    )
    if accepted:
        check_coverage(table, SUMSS, 100.0, -60.0, radius, origin="it", complete=True)
    else:
        with pytest.raises(CatalogueError, match="to be true"):
            check_coverage(table, SUMSS, 100.0, -60.0, radius, origin="it", complete=True)


def test_a_survey_that_does_not_cover_the_field_says_so(tmp_path):
    with pytest.raises(CatalogueError, match="does not cover"):
        check_coverage(pd.DataFrame({"ra": [], "dec": []}), SUMSS, 10.0, 20.0, 2.0, origin="it", complete=True)

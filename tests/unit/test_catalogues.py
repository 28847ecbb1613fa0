"""Reference catalogues: from a server that answers like VizieR, and from files."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from racs_transients import sky
from racs_transients.beam import Beam
from racs_transients.catalogues import fetch_reference, query_radius, read_reference_file
from racs_transients.catalogues.guard import check_coverage, check_trimmed, expected_count
from racs_transients.errors import CatalogueError
from racs_transients.image import Image
from racs_transients.surveys import NVSS, RACS_LOW, SUMSS

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.servers import UNITS, LocalVizier, serving

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


def mgps_rows(rows):
    """Return rows as MGPS-2 has them, with names that begin with the position."""
    ra, dec = rows["_RAJ2000"], rows["_DEJ2000"]
    names = pd.Series(sky.iau_name("", ra, dec)).str.replace(r"\.\d", "", regex=True)
    return rows.reset_index(drop=True).assign(MGPS=names, E=0.0)


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
    next(tmp_path.glob("*.vot")).write_text("garbage")
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
    extra = mgps_rows(sumss_rows(40, seed=9))
    repeated = mgps_rows(main.iloc[:30].assign(_DEJ2000=main["_DEJ2000"].iloc[:30] + 20 / 3600, St=1.0))
    vizier.tables[MGPS] = pd.concat([extra, repeated], ignore_index=True)
    both = fetch(vizier, tmp_path / "a")
    vizier.tables[MGPS] = extra
    pd.testing.assert_frame_equal(fetch(vizier, tmp_path / "b"), both)
    assert (both["flux_int"] > 1).all()  # SUMSS's row of a source that both have is kept
    assert vizier.queries[0]["-source"] == "VIII/81B/sumss212,VIII/82/mgpscat"
    # the cache holds both, too
    pd.testing.assert_frame_equal(fetch(vizier, tmp_path / "a"), both)
    assert len(vizier.queries) == 2


def test_in_the_galactic_plane_mgps_2_answers_for_sumss(vizier, tmp_path):
    ra, dec = 253.7, -41.4  # b = 1.3
    vizier.tables[MGPS] = mgps_rows(sumss_rows(500, ra=ra, dec=dec))
    table = fetch(vizier, tmp_path, ra=ra, dec=dec)
    assert len(table) > 100
    assert table["name"].str.match(r"MGPS J\d{6}-\d{6}$").all()
    assert table["mosaic"].eq("J2100M56").all()
    assert (table["survey"] == "SUMSS").all()


def test_sumss_without_mgps_2_is_too_little_in_the_galactic_plane(vizier, tmp_path):
    with pytest.raises(CatalogueError, match="empty"):
        fetch(vizier, tmp_path, ra=253.7, dec=-41.4)
    vizier.tables[MAIN] = sumss_rows(1, ra=253.7, dec=-41.4, half=0.5)
    with pytest.raises(CatalogueError, match="too few"):
        fetch(vizier, tmp_path, ra=253.7, dec=-41.4)


def test_a_file_may_hold_rows_of_both_catalogues(tmp_path):
    main, extra = sumss_rows(), mgps_rows(sumss_rows(40, seed=9))
    repeated = mgps_rows(main.iloc[:30].assign(_DEJ2000=main["_DEJ2000"].iloc[:30] + 20 / 3600))
    pd.concat([extra, repeated, main]).to_csv(tmp_path / "t.csv", index=False)
    table = read_reference_file(tmp_path / "t.csv", SUMSS)
    is_mgps = table["name"].str.startswith("MGPS J")
    assert is_mgps.sum() == 40
    assert (~is_mgps).sum() == 600


def test_the_limit_in_the_galactic_plane_is_that_of_mgps_2():
    ra, dec = [253.7, 253.7, 315.0, 10.0], [-41.4, -56.0, -55.0, 10.0]
    np.testing.assert_array_equal(SUMSS.contains(ra, dec), [True, True, True, False])
    np.testing.assert_array_equal(SUMSS.completeness_at(ra, dec), [18.0, 18.0, 8.0, np.nan])
    np.testing.assert_array_equal(SUMSS.density_at(ra, dec), [20.5, 20.5, 31.3, 0.0])


def racs_rows(n=2600, half=2.5, ra=120.0, dec=-20.0):
    rng = np.random.default_rng(5)
    decs = dec + rng.uniform(-half, half, n)
    flux = np.round(2 / rng.uniform(0.01, 1, n), 3)
    ras = ra + rng.uniform(-half, half, n) / np.cos(np.deg2rad(dec))
    return pd.DataFrame(
        {
            "_RAJ2000": ras, "_DEJ2000": decs, "RACS-DR1": sky.iau_name("", ras, decs), "RAJ2000": ras, "DEJ2000": decs,
            "e_RAJ2000": 0.8, "e_DEJ2000": 0.9, "Ftot": flux, "e_Ftot": 0.6, "Fpk": flux / 1.1, "e_Fpk": 0.3,
            "amaj": 27.0, "bmin": 25.5, "PA": 30.0, "Noise": 0.28,
        }
    )  # fmt: skip


def test_racs_low_is_a_survey_with_a_gap_in_the_galactic_plane(vizier, tmp_path):
    vizier.tables["J/other/PASA/38.58/galcut"] = racs_rows()
    table = fetch(vizier, tmp_path, RACS_LOW, 120.0, -20.0)
    assert len(table) > 400
    assert table["name"].str.match(r"RACS-DR1 J\d{6}\.\d-\d{6}$").all()
    assert (table["beam_major"] == 25).all()
    assert (table["major"] == 27).all()
    ra, dec = [253.7, 10.0, 10.0, 10.0, 10.0], [-41.4, -85.0, -79.0, 29.0, 31.0]
    assert RACS_LOW.contains(ra, dec).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize("position", [(266.4, -29.0), (83.6, 22.0), (201.0, -43.0)])
def test_galactic_latitude_is_that_of_astropy(position):
    expected = SkyCoord(*position, unit="deg").galactic.b.deg
    assert sky.galactic_latitude(*position) == pytest.approx(expected, abs=3e-5)


@pytest.mark.parametrize("position", [(266.4, -29.0), (83.6, 22.0), (201.0, -43.0), (0.0, 90.0), (12.9, 27.1)])
def test_galactic_longitude_is_that_of_astropy(position):
    expected = SkyCoord(*position, unit="deg").galactic.l.deg
    assert sky.galactic_longitude(*position) == pytest.approx(expected, abs=1e-4)


def test_mgps_2_begins_at_longitude_245():
    positions = SkyCoord(l=[244.0, 246.0, 330.0, 359.0, 2.0], b=[-9.5, -9.0, 0, -3, -8], unit="deg", frame="galactic")
    ra, dec = positions.icrs.ra.deg, positions.icrs.dec.deg
    assert (dec < -30).all()
    np.testing.assert_array_equal(SUMSS.contains(ra, dec), [False, True, True, True, True])
    np.testing.assert_array_equal(SUMSS.completeness_at(ra, dec), [np.nan, 18, 18, 18, 18])


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


def test_an_nvss_limit_for_the_minor_axis_leaves_the_major_one(tmp_path):
    rows = nvss_rows(4).assign(MajAxis=80.0, MinAxis=18.0, PA=30.0, l_MajAxis=["", "", "<", "<"])
    rows.assign(l_MinAxis=["", "<", "", "<"]).to_csv(tmp_path / "t.csv", index=False)
    table = read_reference_file(tmp_path / "t.csv", NVSS)
    long, wide = np.hypot(45, 80), np.hypot(45, 18)
    np.testing.assert_allclose(table["major"], [long, long, 45, 45])
    np.testing.assert_allclose(table["minor"], [wide, 45, 45, 45])
    np.testing.assert_allclose(table["flux_peak"] / table["flux_int"], [45**2 / long / wide, 45 / long, 1, 1])
    np.testing.assert_allclose(table["pa"].iloc[:2], 30)
    assert table["size_is_limit"].tolist() == [False, False, True, True]


def test_a_limit_among_fitted_sizes_is_the_beam(tmp_path):
    fitted = replace(NVSS, sizes_deconvolved=False)
    rows = nvss_rows(3).assign(MajAxis=80.0, MinAxis=50.0, l_MajAxis=["", "", "<"], l_MinAxis=["", "<", "<"])
    rows.to_csv(tmp_path / "t.csv", index=False)
    table = read_reference_file(tmp_path / "t.csv", fitted)
    assert table[["major", "minor"]].to_numpy().tolist() == [[80, 50], [80, 45], [45, 45]]


def test_a_contradicting_unit_is_refused(vizier, tmp_path, monkeypatch):
    monkeypatch.setitem(UNITS, "St", "arcsec")
    with pytest.raises(CatalogueError, match="St is in arcsec"):
        fetch(vizier, tmp_path)


def test_fluxes_in_jy_are_converted(vizier, tmp_path, monkeypatch):
    in_mjy = fetch(vizier, tmp_path / "a")
    monkeypatch.setitem(UNITS, "St", "Jy")
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
    if -50 + radius < dec < -30 - radius and abs(sky.galactic_latitude(ra, dec)) > 10 + radius:
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


def at_the_border_of_the_plane(*tables):
    """Return what the named tables of SUMSS have within 3° of a position at b = -10.5°, and that position."""
    centre = SkyCoord(l=330.0, b=-10.5, unit="deg", frame="galactic").icrs
    rng = np.random.default_rng(7)
    ra, dec = centre.ra.deg + rng.uniform(-7, 7, 9000), centre.dec.deg + rng.uniform(-3, 3, 9000)
    density = 9000 / (14 * 6 * np.cos(centre.dec.rad))
    kept = [
        pd.DataFrame({"ra": ra, "dec": dec})[c.contains(ra, dec) & (rng.uniform(0, density, 9000) < c.density.at(dec))]
        for c in SUMSS.catalogues
        if c.table in tables
    ]
    return pd.concat(kept, ignore_index=True), centre.ra.deg, centre.dec.deg


def test_one_catalogue_of_two_is_too_little_where_both_share_the_field(caplog):
    both, ra, dec = at_the_border_of_the_plane(MAIN, MGPS)
    check_coverage(both, SUMSS, ra, dec, 3.0, origin="it", complete=True)
    assert not caplog.records
    for missing, left in ((MGPS, MAIN), (MAIN, MGPS)):
        part, _, _ = at_the_border_of_the_plane(left)
        with pytest.raises(CatalogueError, match=f"density of {missing} .* too few"):
            check_coverage(part, SUMSS, ra, dec, 3.0, origin="it", complete=True)
        check_coverage(part, SUMSS, ra, dec, 3.0, origin="a file", complete=False)
        assert f"density of {missing}" in caplog.messages[-1]


@pytest.mark.parametrize(("dec", "size", "refused"), [(-55, 200, False), (-55, 1000, True), (-29.8, 1000, False)])
def test_only_an_image_that_should_hold_many_sources_must_hold_one(dec, size, refused, caplog):
    # 0.02 and 0.48 deg²; of the last the survey covers the southern fifth
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---SIN", "DEC--SIN"], [10.0, dec], [-2.5 / 3600, 2.5 / 3600]
    wcs.wcs.crpix = [(size + 1) / 2] * 2
    image = Image(Path("a.fits"), np.zeros((size, size), np.float32), wcs, 887.5, Beam(15, 12))
    none = pd.DataFrame({"ra": [], "dec": []})
    if refused:
        with pytest.raises(CatalogueError, match=r"None of the SUMSS sources lies on a.fits, where 15\.\d"):
            check_trimmed(none, SUMSS, image)
    else:
        check_trimmed(none, SUMSS, image)
        assert "None of the SUMSS sources" in caplog.text


def test_a_survey_that_does_not_cover_the_field_says_so(tmp_path):
    with pytest.raises(CatalogueError, match="does not cover"):
        check_coverage(pd.DataFrame({"ra": [], "dec": []}), SUMSS, 10.0, 20.0, 2.0, origin="it", complete=True)

"""Supplied source lists: Aegean and Selavy in all their forms, units, and what is refused."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from astropy.wcs import WCS

from racs_transients.beam import Beam
from racs_transients.errors import SourceFinderError
from racs_transients.finders import ListSource, canonical_sources, good_fits, read_source_list
from racs_transients.finders.lists import read_raw_list
from racs_transients.image import Image
from racs_transients.noise import NoiseMaps
from racs_transients.schema import SOURCES

REAL = Path("../shared/data/askap_catalogues")
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data is not there")
RMS = 2.5e-4


def field(ra=150.0, dec=-40.0, side=200):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---SIN", "DEC--SIN"
    wcs.wcs.crval = ra, dec
    wcs.wcs.crpix = (side + 1) / 2, (side + 1) / 2
    wcs.wcs.cdelt = -3 / 3600, 3 / 3600
    image = Image(Path("field.fits"), np.zeros((side, side), np.float32), wcs, 888.0, Beam(15, 12, 20))
    rms = np.full((side, side), RMS, np.float32)
    rms[:20] = np.nan
    return image, NoiseMaps(np.zeros_like(rms), rms)


def aegean_table(**changes):
    columns = {
        "island": [3, 3, 7], "source": [0, 1, 0], "local_rms": [3e-4] * 3,
        "ra": [150.01, 150.0, 149.98], "err_ra": [1e-5] * 3, "dec": [-40.0, -40.01, -39.99], "err_dec": [1e-5] * 3,
        "peak_flux": [0.01, 0.02, 0.005], "err_peak_flux": [1e-4, -1.0, 2e-4],
        "int_flux": [0.012, 0.021, 0.0], "err_int_flux": [1e-4, -1.0, 2e-4],
        "a": [16.0, 17.0, 15.0], "b": [12.0, 13.0, 12.0], "pa": [-10.0, 30.0, 95.0], "flags": [0, 4, 0],
    }  # fmt: skip
    return pd.DataFrame(columns | changes)


def write_aegean(path, table=None):
    table = aegean_table() if table is None else table
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        units = {"ra": "deg", "dec": "deg", "a": "arcsec", "b": "arcsec", "pa": "deg"}
        units |= dict.fromkeys(("peak_flux", "err_peak_flux", "local_rms"), "Jy/beam")
        units |= dict.fromkeys(("int_flux", "err_int_flux"), "Jy")
        Table.from_pandas(table, units=units).write(path, format="votable" if path.suffix == ".xml" else "fits")
    return path


SELAVY = """\
#      island_id component_id ra_deg_cont dec_deg_cont  flux_peak flux_peak_err flux_int flux_int_err maj_axis min_axis pos_ang  rms_image flag_c4 comment
#             --           --       [deg]        [deg] [{f}/beam]    [{f}/beam]    [{f}]        [{f}] [{a}]    [{a}]      [deg] [{f}/beam]
  SB1_island_3  SB1_3a         150.010000   -40.000000     {0:9.6f}         0.1000  {1:9.6f}     0.2000 {2:9.6f} {3:9.6f}   170.0     0.3000       0
  SB1_island_7  SB1_7a         149.980000   -39.990000     {4:9.6f}         0.1000  {5:9.6f}     0.2000 {2:9.6f} {3:9.6f}    95.0     0.3000       1 a comment with blanks
"""  # noqa: E501


def selavy_text(flux_unit="mJy", size_unit="arcsec"):
    per_mjy, per_arcsec = {"mJy": 1, "Jy": 1e-3}[flux_unit], {"arcsec": 1, "arcmin": 1 / 60}[size_unit]
    fluxes = [value * per_mjy for value in (10.0, 12.0, 5.0, 6.0)]
    sizes = [value * per_arcsec for value in (16.0, 12.0)]
    text = SELAVY.format(*fluxes[:2], *sizes, *fluxes[2:], f=flux_unit, a=size_unit)
    # the units stand right-aligned below the names
    names, units, *rows = text.splitlines()
    aligned, values, start = list(" " * len(names)), iter(units.split()[1:]), 1
    for name in names.split()[1:-1]:
        end = names.index(name, start) + len(name)
        unit = next(values, "--")
        aligned[end - len(unit) : end] = unit
        start = end
    return "\n".join([names, "#" + "".join(aligned)[1:], *rows]) + "\n"


@pytest.mark.parametrize("suffix", [".csv", ".xml", ".fits"])
def test_aegean_in_its_three_formats(tmp_path, suffix):
    image, noise = field()
    found = read_source_list(ListSource(write_aegean(tmp_path / f"list{suffix}")), image, noise)
    assert list(found.columns) == [column.name for column in SOURCES]
    by_flux = found.sort_values("flux_peak", ascending=False)
    assert by_flux["flux_peak"].tolist() == pytest.approx([20, 10, 5])
    assert by_flux["flux_int"].tolist() == pytest.approx([21, 12, 5])  # 0 means the peak
    assert by_flux["major"].tolist() == pytest.approx([17, 16, 15])
    assert by_flux["pa"].tolist() == pytest.approx([30, 170, 95])
    assert by_flux["island_components"].tolist() == [2, 2, 1]
    assert by_flux["finder_flags"].tolist() == [4, 0, 0]
    # −1 is Aegean's word for "no error"
    assert by_flux["finder_flux_peak_err"].tolist() == pytest.approx([np.nan, 0.1, 0.2], nan_ok=True)
    # ours wins over the list's own
    assert by_flux["rms"].tolist() == pytest.approx([0.25] * 3)
    assert (by_flux["flux_peak_err"] > 0.2).all()
    assert good_fits(found)["flux_peak"].tolist() == pytest.approx([5, 10])


@pytest.mark.parametrize("flux_unit", ["mJy", "Jy"])
@pytest.mark.parametrize("size_unit", ["arcsec", "arcmin"])
@pytest.mark.parametrize("suffix", [".txt", ".txt.gz"])
def test_selavy_text_obeys_its_unit_line(tmp_path, flux_unit, size_unit, suffix):
    path = tmp_path / f"selavy{suffix}"
    text = selavy_text(flux_unit, size_unit).encode()
    path.write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    found = read_source_list(ListSource(path), *field()).sort_values("flux_peak")
    assert found["flux_peak"].tolist() == pytest.approx([5, 10])
    assert found["flux_int"].tolist() == pytest.approx([6, 12])
    assert found["major"].tolist() == pytest.approx([16, 16], rel=1e-4)
    assert found["finder_flags"].tolist() == [1, 0]


def test_order_of_rows_does_not_matter(tmp_path):
    image, noise = field()
    one = read_source_list(ListSource(write_aegean(tmp_path / "a.csv")), image, noise)
    other = read_source_list(ListSource(write_aegean(tmp_path / "b.csv", aegean_table().iloc[[2, 0, 1]])), image, noise)
    pd.testing.assert_frame_equal(one, other)


def test_sources_off_the_image_or_on_blank_pixels_are_left_out_and_counted(tmp_path, caplog):
    image, noise = field()
    ra, dec = image.pixel_to_sky([100, 100, -50], [100, 5, 100])
    path = write_aegean(tmp_path / "a.csv", aegean_table(ra=ra, dec=dec))
    assert len(read_source_list(ListSource(path), image, noise)) == 1
    assert "2 of 3 sources" in caplog.text


def test_repeated_sources_are_taken_once_and_said(tmp_path, caplog):
    once = read_source_list(ListSource(write_aegean(tmp_path / "a.csv")), *field())
    table = aegean_table()
    twice = write_aegean(tmp_path / "b.csv", pd.concat([table, table.iloc[:2].assign(island=9)]))
    pd.testing.assert_frame_equal(read_source_list(ListSource(twice), *field()), once)
    assert "b.csv: 2 sources are repeated and taken once" in caplog.text


def test_right_ascensions_below_zero_are_those_below_360(tmp_path):
    table = aegean_table(ra=[0.01, 0.0, -0.02])
    found = read_source_list(ListSource(write_aegean(tmp_path / "a.csv", table)), *field(ra=0.0))
    np.testing.assert_allclose(found["ra"], [0.0, 0.01, 359.98])


def test_integrated_flux_of_zero_is_logged(tmp_path, caplog):
    read_source_list(ListSource(write_aegean(tmp_path / "a.csv")), *field())
    assert "1 sources have integrated flux 0" in caplog.text


def test_flux_error_is_added(tmp_path):
    path = write_aegean(tmp_path / "a.csv")
    plain, scaled = (read_source_list(ListSource(path), *field(), flux_error=error) for error in (0.0, 0.1))
    np.testing.assert_allclose(scaled["flux_int_err"], np.hypot(plain["flux_int_err"], 0.1 * plain["flux_int"]))


def test_own_noise_of_the_list_serves_where_ours_is_blank():
    image, noise = field()
    raw = pd.DataFrame(
        {
            "island_id": [1], "ra": [150.0], "dec": [-40.07], "flux_peak": [10.0], "flux_int": [10.0], "major": [15.0],
            "minor": [12.0], "pa": [20.0], "finder_flux_peak_err": [np.nan], "finder_flux_int_err": [np.nan],
            "finder_flags": [0], "rms": [0.4],
        }
    )  # fmt: skip
    assert np.isnan(noise.at(image, raw["ra"], raw["dec"])[1]).all()
    assert canonical_sources(raw, image, noise, flux_error=0.0)["rms"].tolist() == [0.4]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (aegean_table().drop(columns="int_flux"), "lacks the columns int_flux"),
        (aegean_table().drop(columns=["a", "b"]), "lacks the columns a, b"),
        (aegean_table().rename(columns={"peak_flux": "flux"}), "no list by aegean, .*; name its columns"),
        (aegean_table(ra=[150.0, np.nan, np.nan]), "2 sources have no position, flux or size, the first is row 2"),
        (aegean_table(peak_flux=["bright", 0.1, 0.1]), "1 sources have no position"),
        (aegean_table(ra=np.array([150.01, 150.0, 149.98]) / 15), "None of the 3 sources .* hours"),
        (aegean_table().iloc[:0], "None of the 0 sources"),
    ],
)
def test_unusable_list_is_refused_in_one_sentence(tmp_path, table, words):
    path = write_aegean(tmp_path / "a.csv", table)
    with pytest.raises(SourceFinderError, match=words) as caught:
        read_source_list(ListSource(path), *field())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".xml", ".fits", ".csv.gz", ".txt.gz"])
@pytest.mark.parametrize("content", [b"", b"\x00\x01\xff\xfe nonsense", b"\x1f\x8b\x08 broken"])
def test_rubbish_is_refused_in_one_sentence(tmp_path, suffix, content):
    path = tmp_path / f"list{suffix}"
    path.write_bytes(content)
    with pytest.raises(SourceFinderError) as caught:
        read_source_list(ListSource(path), *field())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cut_off_selavy_text_names_the_line(tmp_path):
    path = tmp_path / "selavy.txt"
    path.write_text(selavy_text()[:-90], encoding="utf-8")
    with pytest.raises(SourceFinderError, match=r"line 4 has fewer .* truncated"):
        read_source_list(ListSource(path), *field())


def test_wrong_unit(tmp_path):
    path = tmp_path / "selavy.txt"
    path.write_text(selavy_text().replace("[mJy/beam]", "[K       ]"), encoding="utf-8")
    with pytest.raises(SourceFinderError, match=r"'K'.* cannot be turned into mJy"):
        read_source_list(ListSource(path), *field())


def test_missing_list(tmp_path):
    with pytest.raises(SourceFinderError, match="There is no source list"):
        read_source_list(ListSource(tmp_path / "none.csv"), *field())


@pytest.mark.realdata
@needs_real
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("VAST_0127-73A.EPOCH08.I.selavy.components.txt.gz", 5830),
        ("small_RACS_0000-12A.EPOCH00.I.selavy.components.txt", 15),
        ("small_VAST_1237+00A.EPOCH02.I.selavy.components.xml", 7),
        ("small_selavy-image.i.SB9602.cont.taylor.0.restored.components.txt", 6),
    ],
)
def test_real_selavy_lists(name, number):
    raw = read_raw_list(ListSource(REAL / name))
    assert len(raw) == number
    # an error of 0 is none; all else is there
    assert not raw.drop(columns=["finder_flux_peak_err", "finder_flux_int_err"]).isna().any().any()
    assert raw["finder_flux_peak_err"].notna().mean() > 0.9
    assert raw["flux_peak"].between(0.1, 3000).all()
    assert raw["major"].between(5, 300).all()
    # the noise of such images, mJy/beam
    assert 0.02 < raw["rms"].median() < 0.7


@pytest.mark.realdata
@needs_real
def test_real_casda_csv_and_votable_hold_the_same():
    stem = "casda_selavy_SB11136.components"
    csv, votable = (
        read_raw_list(ListSource(REAL / f"{stem}.{kind}.gz"))
        .drop(columns="island_id")
        .sort_values(["ra", "dec", "flux_peak"], ignore_index=True)
        for kind in ("csv", "xml")
    )
    assert len(csv) == 2274
    # single precision in the VOTable
    pd.testing.assert_frame_equal(csv, votable, rtol=1e-4, atol=1e-3)


@pytest.mark.realdata
@needs_real
def test_real_list_that_crosses_ra_zero():
    path = REAL / "small_RACS_0000-12A.EPOCH00.I.selavy.components.txt"
    wcs_image, _ = field(ra=0.0, dec=-12.0, side=200)
    wcs = wcs_image.wcs.deepcopy()
    wcs.wcs.cdelt = -180 / 3600, 180 / 3600
    rms = np.full((200, 200), RMS, np.float32)
    image = Image(wcs_image.path, np.zeros_like(rms), wcs, 888.0, Beam(15, 12))
    found = read_source_list(ListSource(path), image, NoiseMaps(np.zeros_like(rms), rms))
    assert len(found) == 15
    assert (found["ra"] < 180).any()
    assert (found["ra"] > 180).any()
    assert found["nn_separation"].max() < 5 * 3600

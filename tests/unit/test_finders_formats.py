"""Lists of any make: the same list in each format, islands, columns that the user names, and mistakes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import Angle
from astropy.table import Table

from racs_transients.errors import SourceFinderError
from racs_transients.finders import ListSource, read_source_list
from racs_transients.finders.lists import read_raw_list
from racs_transients.image import Image
from racs_transients.noise import NoiseMaps
from tests.selavy_files import WRITERS
from tests.unit.test_finders_lists import RMS, aegean_table, field, write_aegean

N = 6


def components(**changes):
    rng = np.random.default_rng(4)
    peak = rng.uniform(2, 60, N).round(3)
    columns = {
        "island_id": [f"SB1_island_{number}" for number in (12, 12, 12, 7, 3, 101)],
        "component_id": [f"SB1_component_{letter}" for letter in "abcdef"],
        "ra_deg_cont": (150 + rng.uniform(-0.05, 0.05, N)).round(6),
        "dec_deg_cont": (-40 + rng.uniform(-0.04, 0.04, N)).round(6),
        "flux_peak": peak, "flux_peak_err": 0.2, "flux_int": (1.1 * peak).round(3), "flux_int_err": 0.4,
        "maj_axis": 16.0, "min_axis": 12.5, "pos_ang": [170.0, 3.0, -20.0, 90.0, 45.0, 0.0], "rms_image": 0.3,
        "flag_c4": [0, 1, 0, 0, 0, 0],
    }  # fmt: skip
    return pd.DataFrame(columns | changes)


def islands():
    return pd.DataFrame(
        {
            "island_id": [f"SB1_island_{number}" for number in (3, 7, 12, 101)],
            "n_components": [1, 4, 3, 1],
            "flux_peak": [1.0, 2.0, 3.0, 4.0],
        }
    )


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("island_suffix", [None, *WRITERS])
def test_selavy_list_is_the_same_in_each_format(tmp_path, suffix, island_suffix):
    image, noise = field()
    expected = read_source_list(ListSource(WRITERS[".csv"](components(), tmp_path / "first.csv")), image, noise)
    path, given = WRITERS[suffix](components(), tmp_path / f"list{suffix}"), None
    if island_suffix:
        given = WRITERS[island_suffix](islands(), tmp_path / f"islands{island_suffix}")
        # island 7 has four components, three of them not in the list
        expected.loc[expected["island_id"] == expected["island_id"].max(), "island_components"] = 4
    found = read_source_list(ListSource(path, islands=given), image, noise)
    pd.testing.assert_frame_equal(found, expected)
    assert sorted(found["island_components"]) == ([1, 1, 3, 3, 3, 4] if island_suffix else [1, 1, 1, 3, 3, 3])
    assert len(found) == N


def test_file_name_says_nothing_of_the_format(tmp_path):
    # documented examples call fixed-width lists .csv
    image, noise = field()
    path = WRITERS[".txt"](components(), tmp_path / "list.csv")
    assert len(read_source_list(ListSource(path), image, noise)) == N


def test_islands_of_aegean(tmp_path):
    path, isle = write_aegean(tmp_path / "a.csv"), tmp_path / "a_isle.csv"
    pd.DataFrame({"island": [3, 7], "components": [5, 2]}).to_csv(isle, index=False)
    raw = read_raw_list(ListSource(path, islands=isle))
    assert raw["island_components"].tolist() == [5, 5, 2]


def test_island_that_the_island_list_lacks_is_counted_with_a_warning(tmp_path, caplog):
    path, given = tmp_path / "list.csv", tmp_path / "islands.csv"
    components().to_csv(path, index=False)
    islands().iloc[:2].to_csv(given, index=False)
    raw = read_raw_list(ListSource(path, islands=given))
    assert raw["island_components"].tolist() == [3, 3, 3, 4, 1, 1]
    assert "lacks the islands of 4 of 6 sources" in caplog.text


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            islands().assign(island_id="SB2_" + islands()["island_id"]),
            r"none of the islands of list.csv .*SB1_island_12",
        ),
        (islands().drop(columns="n_components"), "no island list: .* has island_id, flux_peak"),
    ],
)
def test_island_list_of_something_else_is_refused(tmp_path, table, words):
    path, given = tmp_path / "list.csv", tmp_path / "islands.csv"
    components().to_csv(path, index=False)
    table.to_csv(given, index=False)
    with pytest.raises(SourceFinderError, match=words):
        read_raw_list(ListSource(path, islands=given))


def test_wrong_format_is_a_warning(tmp_path, caplog):
    path = WRITERS[".txt"](components(), tmp_path / "list.txt")
    assert len(read_raw_list(ListSource(path, "aegean"))) == N
    assert "list.txt is a list by selavy, not aegean" in caplog.text


def test_our_own_list_comes_back_as_it_was(tmp_path):
    image, noise = field()
    first = read_source_list(ListSource(write_aegean(tmp_path / "a.csv")), image, noise)
    first.to_csv(tmp_path / "own_comp.csv", index=False)
    pd.testing.assert_frame_equal(read_source_list(ListSource(tmp_path / "own_comp.csv"), image, noise), first)


def test_nobody_elses_fluxes_are_taken_for_ours(tmp_path):
    image, noise = field()
    first = read_source_list(ListSource(write_aegean(tmp_path / "a.csv")), image, noise)
    first.drop(columns="finder_flags").to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(SourceFinderError, match="name its columns with --askap-columns"):
        read_source_list(ListSource(tmp_path / "own.csv"), image, noise)


OWN = "ra = RAJ2000, dec = DEJ2000, flux_peak = Sp [Jy/beam], flux_int = S [uJy]"


def own_table(sexagesimal=False):
    table = components()
    position = {"RAJ2000": table["ra_deg_cont"], "DEJ2000": table["dec_deg_cont"]}
    if sexagesimal:
        ra, dec = (Angle(values.to_numpy() * u.deg) for values in position.values())
        position = {
            "RAJ2000": ra.to_string(unit=u.hourangle, sep=":", precision=5),
            "DEJ2000": dec.to_string(unit=u.deg, sep=":", precision=4),
        }
    own = {"Name": table["component_id"], "Sp": table["flux_peak"] / 1e3, "S": table["flux_int"] * 1e3}
    return pd.DataFrame(position | own | {"a": 16.0 / 3600, "b": 12.5 / 60, "theta": table["pos_ang"]})


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", " | "])
@pytest.mark.parametrize("header", ["", "#", "# made by hand\n#\n# "])
def test_own_table_with_named_columns(tmp_path, separator, header):
    path = tmp_path / "own.dat"
    text = own_table().to_csv(index=False, sep="@").replace("@", separator)
    path.write_text(header + text, encoding="utf-8")
    raw = read_raw_list(ListSource(path, columns=f"{OWN}\nmajor = a [deg], minor = b [arcmin]\npa = theta"))
    wanted = components()
    np.testing.assert_allclose(raw["ra"], wanted["ra_deg_cont"])
    np.testing.assert_allclose(raw["flux_peak"], wanted["flux_peak"])
    np.testing.assert_allclose(raw["flux_int"], wanted["flux_int"])
    np.testing.assert_allclose(raw["major"], 16)
    np.testing.assert_allclose(raw["minor"], 12.5)
    np.testing.assert_allclose(raw["pa"], wanted["pos_ang"] % 180)
    assert raw["island_id"].is_unique


def test_own_table_in_hours_minutes_seconds_without_sizes_holds_unresolved_sources(tmp_path, caplog):
    image, noise = field()
    path = tmp_path / "own.csv"
    own_table(sexagesimal=True).to_csv(path, index=False)
    columns = OWN.replace("RAJ2000", "RAJ2000 [hms]").replace("DEJ2000", "DEJ2000 [dms]")
    with caplog.at_level("INFO"):
        found = read_source_list(ListSource(path, columns=columns), image, noise)
    np.testing.assert_allclose(np.sort(found["ra"]), np.sort(components()["ra_deg_cont"]), atol=1e-7)
    np.testing.assert_allclose(np.sort(found["dec"]), np.sort(components()["dec_deg_cont"]), atol=1e-7)
    assert set(found["major"]) == {15.0}
    assert set(found["minor"]) == {12.0}
    assert "own.csv has no sizes" in caplog.text


@pytest.mark.parametrize("suffix", ["fits", "xml"])
def test_units_of_the_file_count_where_none_is_said(tmp_path, suffix):
    table = Table.from_pandas(own_table().assign(RAJ2000=own_table()["RAJ2000"] / 15))
    for name, unit in {"RAJ2000": "hourangle", "DEJ2000": "deg", "Sp": "Jy/beam", "S": "uJy"}.items():
        table[name].unit = unit if (name, suffix) != ("RAJ2000", "fits") else None
    path = tmp_path / f"own.{suffix}"
    if suffix == "xml":
        table["RAJ2000"].unit = None
    table.write(path, format="fits" if suffix == "fits" else "votable")
    raw = read_raw_list(ListSource(path, columns="ra=RAJ2000 [h], dec=DEJ2000, flux_peak=Sp, flux_int=S"))
    np.testing.assert_allclose(raw["ra"], components()["ra_deg_cont"])
    np.testing.assert_allclose(raw["flux_peak"], components()["flux_peak"])
    np.testing.assert_allclose(raw["flux_int"], components()["flux_int"])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            OWN.replace("Sp", "S_p"),
            r"lacks the columns S_p that --askap-columns names; did you mean Sp\? It has RAJ2000",
        ),
        (OWN.replace(" [uJy]", ""), r"does not state the unit of S; write .* flux_int = S \[mJy\]"),
        (OWN.replace("uJy", "Ky"), r"column S \(flux_int\) is in 'Ky', which cannot be turned into mJy"),
        (OWN.replace("uJy", "arcsec"), "'arcsec', which cannot be turned into mJy"),
        (OWN.replace("S [", "Name ["), "column Name holds no numbers but 'SB1_component_a'"),
        (OWN, r"column RAJ2000 holds no numbers but '10:0.*; write ra = RAJ2000 \[hms\]"),
        (OWN.replace("RAJ2000", "Name [hms]"), "column Name is not written as hms"),
    ],
)
def test_mistakes_in_named_columns_are_named(tmp_path, columns, words):
    path = tmp_path / "own.csv"
    own_table(sexagesimal=True).to_csv(path, index=False)
    if not words.startswith("column RAJ2000"):
        columns = columns.replace("RAJ2000,", "RAJ2000 [hms],").replace("DEJ2000", "DEJ2000 [dms]")
    with pytest.raises(SourceFinderError, match=words) as caught:
        read_raw_list(ListSource(path, columns=columns))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_column_that_a_known_list_lacks_is_named_with_the_nearest(tmp_path):
    path = write_aegean(tmp_path / "a.csv", aegean_table().rename(columns={"int_flux": "int_flx"}))
    with pytest.raises(SourceFinderError, match=r"int_flux of a list by aegean; did you mean int_flx\? It has island"):
        read_raw_list(ListSource(path))


def wide_image(ra, dec):
    """Return an image as wide as a tile, in coarse pixels."""
    small, _ = field(ra=ra, dec=dec, side=300)
    wcs = small.wcs.deepcopy()
    wcs.wcs.cdelt = -120 / 3600, 120 / 3600
    rms = np.full((300, 300), RMS, np.float32)
    return Image(small.path, np.zeros_like(rms), wcs, 888.0, small.beam), NoiseMaps(np.zeros_like(rms), rms)


@pytest.mark.realdata
def test_real_selavy_list_is_the_same_in_three_formats_and_with_islands(real_data, tmp_path):
    stem = "casda_selavy_SB11136.components"
    csv, votable = (real_data / "askap_catalogues" / f"{stem}.{kind}.gz" for kind in ("csv", "xml"))
    table = pd.read_csv(csv)
    image, noise = wide_image(float(table["ra_deg_cont"].median()), float(table["dec_deg_cont"].median()))
    text = WRITERS[".txt"](table[[*components()]], tmp_path / "list.txt")
    counts = table.groupby("island_id").size()
    given = pd.DataFrame({"island_id": counts.index, "n_components": counts.to_numpy()})
    island_file = WRITERS[".xml"](given, tmp_path / "islands.xml")
    found = [
        read_source_list(ListSource(path, islands=one), image, noise)
        for path in (csv, votable, text)
        for one in (None, island_file)
    ]
    assert len(found[0]) == len(table) == 2274
    for other in found[1:]:
        # the VOTable has single precision
        pd.testing.assert_frame_equal(other.drop(columns="name"), found[0].drop(columns="name"), rtol=1e-4, atol=1e-3)
    assert found[0]["island_components"].max() == counts.max()
    assert (found[0]["finder_flags"] != 0).sum() == (table["flag_c4"] != 0).sum() > 0


@pytest.mark.realdata
def test_real_text_lists_have_positions_units_and_flags(real_data):
    for path in sorted(Path(real_data / "askap_catalogues").glob("*.txt*")):
        raw = read_raw_list(ListSource(path))
        assert raw["flux_int"].gt(0).all()
        assert raw["finder_flags"].isin([0, 1]).all()

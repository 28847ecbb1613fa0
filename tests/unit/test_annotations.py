"""Annotation files, read back as kvis and DS9 read them."""

import re

import numpy as np
import pandas as pd
import pytest

from racs_transients import annotations, schema, tables
from racs_transients.simulate.observation import tangent_wcs

RA, DEC = 315.0, -52.0


def sources(**values):
    frame = pd.DataFrame({"ra": [RA], "dec": [DEC], "name": ["J210000.0-520000"]} | values)
    return tables.conform(frame.assign(beam_major=15.0, beam_minor=12.0, beam_pa=20.0), schema.SOURCES)


def read_kvis(path):
    """Return position angle convention, colour and ellipses: ra, dec, semi-axes in degrees, angle."""
    lines = path.read_text(encoding="utf-8").splitlines()
    settings = dict(line.split(maxsplit=1) for line in lines if not line.startswith("ELLIPSE"))
    numbers = [[float(word) for word in line.split()[1:]] for line in lines if line.startswith("ELLIPSE")]
    return settings, np.array(numbers).reshape(-1, 5)


def read_ds9(path):
    """Return the frame, ellipses (ra, dec, two radii in arcsec, angle) and their names."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# Region file format: DS9 version 4.1"
    pattern = re.compile(r'ellipse\((.+?),(.+?),(.+?)",(.+?)",(.+?)\) # text=\{(.*)\}$')
    found = [pattern.match(line).groups() for line in lines[3:]]
    return lines[2], np.array([[float(v) for v in g[:5]] for g in found]).reshape(-1, 5), [g[5] for g in found]


def half_power_contour(east, north, *, major=60.0, minor=25.0, pa=35.0):
    """Return the brightness of an elongated source at offsets: painted by its own formula, 0.5 on the FWHM."""
    angle = np.deg2rad(pa)
    along, across = east * np.sin(angle) + north * np.cos(angle), east * np.cos(angle) - north * np.sin(angle)
    return np.exp(-4 * np.log(2) * ((along / major) ** 2 + (across / minor) ** 2))


TURN = np.linspace(0, 2 * np.pi, 60)


def test_a_kvis_ellipse_is_the_half_power_contour_of_an_elongated_source(tmp_path):
    table = annotations.ellipses(sources(major=60.0, minor=25.0, pa=35.0))
    annotations.write_kvis(table, tmp_path / "a.ann", colour="BLUE")
    settings, found = read_kvis(tmp_path / "a.ann")
    assert settings == {"COORD": "W", "PA": "SKY", "COLOR": "BLUE", "FONT": "hershey14"}
    ra, dec, a, b, pa = found[0]
    assert (ra, dec) == (RA, DEC)
    # PA SKY: the first semi-axis points from north through east
    angle = np.deg2rad(pa)
    along, across = a * 3600 * np.cos(TURN), b * 3600 * np.sin(TURN)
    east, north = along * np.sin(angle) + across * np.cos(angle), along * np.cos(angle) - across * np.sin(angle)
    np.testing.assert_allclose(half_power_contour(east, north), 0.5, atol=0.002)


def test_a_ds9_ellipse_is_the_half_power_contour_of_an_elongated_source(tmp_path):
    table = annotations.ellipses(sources(major=60.0, minor=25.0, pa=35.0))
    annotations.write_ds9(table, tmp_path / "a.reg", colour="blue")
    frame, found, names = read_ds9(tmp_path / "a.reg")
    assert (frame, names) == ("icrs", ["J210000.0-520000"])
    ra, dec, first, second, turned = found[0]
    # DS9: radii along x and y of an image with north up and east left, turned anticlockwise
    angle = np.deg2rad(turned)
    x = first * np.cos(TURN) * np.cos(angle) - second * np.sin(TURN) * np.sin(angle)
    y = first * np.cos(TURN) * np.sin(angle) + second * np.sin(TURN) * np.cos(angle)
    wcs = tangent_wcs(ra, dec, (101, 101), (1.0, 1.0))
    at_ra, at_dec = wcs.wcs_pix2world(50 + x, 50 + y, 0)
    east, north = (at_ra - ra) * np.cos(np.deg2rad(dec)) * 3600, (at_dec - dec) * 3600
    np.testing.assert_allclose(half_power_contour(east, north), 0.5, atol=0.002)


def test_the_two_formats_agree_for_every_angle(tmp_path):
    pa = np.linspace(0, 179, 40)
    many = pd.concat([sources(major=60.0, minor=25.0, pa=angle) for angle in pa])
    table = annotations.ellipses(many)
    annotations.write_kvis(table, tmp_path / "a.ann", colour="BLUE")
    annotations.write_ds9(table, tmp_path / "a.reg", colour="blue")
    kvis, ds9 = read_kvis(tmp_path / "a.ann")[1], read_ds9(tmp_path / "a.reg")[1]
    np.testing.assert_allclose(kvis[:, 4], pa, atol=0.01)
    np.testing.assert_allclose((ds9[:, 4] - kvis[:, 4]) % 180, 90, atol=0.011)
    np.testing.assert_allclose(ds9[:, 2:4], kvis[:, 2:4] * 3600, atol=0.004)


def test_a_source_without_size_is_written_with_the_beam_and_no_nan(tmp_path):
    table = annotations.ellipses(sources(major=np.nan, minor=np.nan, pa=np.nan))
    for writer, name in ((annotations.write_kvis, "a.ann"), (annotations.write_ds9, "a.reg")):
        writer(table, tmp_path / name, colour="red")
        assert "nan" not in (tmp_path / name).read_text(encoding="utf-8").lower()
    np.testing.assert_allclose(read_kvis(tmp_path / "a.ann")[1][0, 2:], [7.5 / 3600, 6 / 3600, 20], atol=1e-6)


def test_an_empty_list_is_a_file_with_its_head_only(tmp_path):
    table = annotations.ellipses(sources().iloc[:0])
    annotations.write_kvis(table, tmp_path / "a.ann", colour="BLUE")
    annotations.write_ds9(table, tmp_path / "a.reg", colour="blue")
    assert len(read_kvis(tmp_path / "a.ann")[1]) == len(read_ds9(tmp_path / "a.reg")[1]) == 0


def test_a_name_cannot_break_a_region_file(tmp_path):
    table = annotations.ellipses(sources(name=["bad}\nellipse(0,0,1,1,0)"]))
    annotations.write_ds9(table, tmp_path / "a.reg", colour="blue")
    assert len(read_ds9(tmp_path / "a.reg")[1]) == 1


@pytest.mark.parametrize("n", [0, 3])
def test_candidates_are_circles_with_category_and_name(n, tmp_path):
    values = {"name": "J1", "type": "match", "ra": RA, "dec": DEC, "is_candidate": [i < n for i in range(5)]}
    rows = tables.conform(pd.DataFrame(values), schema.CROSSMATCHES)
    annotations.write_ds9(annotations.candidate_circles(rows), tmp_path / "a.reg", colour="magenta")
    _, found, names = read_ds9(tmp_path / "a.reg")
    assert names == ["match J1"] * n
    assert (found[:, 2:4] == 60).all()

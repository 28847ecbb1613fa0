"""One cone search: the same rows with SQLite, PostgreSQL, and PostgreSQL with Q3C, and they are the right ones."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connections

from racs_transients import sky
from web_server.candidates.cone import MAX_RADIUS, cone, has_q3c, within
from web_server.candidates.models import SkyObject

ARCSEC = 1 / 3600
CENTRES = {
    "RA 0 from the east": (0.003, -30.0),
    "RA 0 from the west": (359.998, -55.0),
    "RA 0 exactly": (0.0, 0.0),
    "RA beyond 360": (361.5, -45.0),
    "south pole": (123.0, -90.0),
    "near the south pole": (17.0, -89.9),
    "north pole": (0.0, 90.0),
    "anywhere": (187.3, -71.2),
}
RADII = [0.01 * ARCSEC, 5 * ARCSEC, 1 / 60, 1.0, 10.0, 30.0]


def sky_positions():
    """Return positions all over the sky, and dense ones round each centre at all scales."""
    rng = np.random.default_rng(11)
    ra, dec = [rng.uniform(0, 360, 3000)], [np.rad2deg(np.arcsin(rng.uniform(-1, 1, 3000)))]
    for ra0, dec0 in CENTRES.values():
        distance = 10 ** rng.uniform(np.log10(0.001 * ARCSEC), np.log10(40), 400)
        angle = rng.uniform(0, 2 * np.pi, 400)
        # exact positions at a distance, from spherical trigonometry
        d0, r = np.deg2rad(dec0), np.deg2rad(distance)
        d = np.arcsin(np.clip(np.sin(d0) * np.cos(r) + np.cos(d0) * np.sin(r) * np.cos(angle), -1, 1))
        a = np.arctan2(np.sin(angle) * np.sin(r) * np.cos(d0), np.cos(r) - np.sin(d0) * np.sin(d))
        ra.append((ra0 + np.rad2deg(a)) % 360)
        dec.append(np.rad2deg(d))
        ra.append([ra0 % 360])
        dec.append([dec0])
    return np.concatenate(ra), np.concatenate(dec)


@pytest.fixture(params=["sqlite", "postgresql", "postgresql with q3c"])
def positions(request, tmp_path_factory, read):
    """The alias of a database with the positions."""
    if request.param == "sqlite":
        db = request.getfixturevalue("cone_sqlite")
    else:
        db = request.getfixturevalue("cone_postgres")["q3c" in request.param]
    with read(db) as alias:
        assert has_q3c(alias) == ("q3c" in request.param)
        yield alias


def fill(db, read):
    ra, dec = sky_positions()
    with read(db) as alias:
        objects = [SkyObject(id=i, ra=a, dec=d) for i, (a, d) in enumerate(zip(ra, dec, strict=True), 1)]
        SkyObject.objects.using(alias).bulk_create(objects)
    return db


@pytest.fixture
def cone_sqlite(sqlite_template, tmp_path, read):
    from racs_transients.dbconfig import sqlite_config

    copy = tmp_path / "cone.sqlite3"
    copy.write_bytes(sqlite_template.read_bytes())
    return fill(sqlite_config(copy), read)


@pytest.fixture
def cone_postgres(postgres, postgres_template, read):
    if not postgres.has_q3c:
        pytest.skip("this PostgreSQL server has no Q3C")
    with_q3c = fill(postgres.create("cone_q3c", template=postgres_template), read)
    postgres.run("DROP DATABASE IF EXISTS cone_plain WITH (FORCE)")
    without = postgres.create("cone_plain", template="cone_q3c")
    postgres.run("DROP EXTENSION q3c CASCADE", database="cone_plain")
    return {True: with_q3c, False: without}


def test_the_rows_are_those_within_the_radius(positions):
    ra, dec = sky_positions()
    for ra0, dec0 in CENTRES.values():
        truth = sky.separation(ra, dec, np.full(len(ra), ra0), np.full(len(ra), dec0)) / 3600
        for radius in RADII:
            # rounding decides on what lies within a microarcsecond of the edge
            edge = np.flatnonzero(np.abs(truth - radius) < max(1e-9, 1e-12 * radius)) + 1
            expected = set(np.flatnonzero(truth <= radius) + 1) - set(edge)
            found = set(
                SkyObject.objects.using(positions)
                .filter(cone(ra0, dec0, radius, positions))
                .values_list("id", flat=True)
            )
            assert found - set(edge) == expected, (ra0, dec0, radius)


def test_there_are_rows_at_every_radius():
    ra, dec = sky_positions()
    for ra0, dec0 in CENTRES.values():
        truth = sky.separation(ra, dec, np.full(len(ra), ra0), np.full(len(ra), dec0)) / 3600
        counts = [np.count_nonzero(truth <= radius) for radius in RADII]
        assert counts == sorted(counts)
        assert counts[0] >= 1
        assert len(set(counts)) == len(RADII)


def test_the_distance_is_the_angle(positions):
    ra, dec = sky_positions()
    rows = within(SkyObject.objects.using(positions), 187.3, -71.2, 30).values_list("id", "distance")
    ids, distance = np.array(rows).T
    at = ids.astype(int) - 1
    truth = sky.separation(ra[at], dec[at], np.full(len(at), 187.3), np.full(len(at), -71.2)) / 3600
    np.testing.assert_allclose(distance, truth, rtol=1e-9, atol=1e-11)


def test_the_index_of_q3c_is_used(cone_postgres, read):
    with read(cone_postgres[True]) as alias:
        with connections[alias].cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")
        plan = SkyObject.objects.using(alias).filter(cone(10, -50, 0.1, alias)).explain()
    assert "candidates_skyobject_q3c" in plan


@pytest.mark.parametrize("arguments", [(0, -91, 1), (float("nan"), 0, 1), (0, 0, -1), (0, 0, MAX_RADIUS + 0.1)])
def test_what_is_no_cone_is_refused(arguments):
    with pytest.raises(ValueError, match="no cone of"):
        cone(*arguments)

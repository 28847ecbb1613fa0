"""Which object on the sky a row joins, and where on the sky objects are looked for."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from racs_transients import products, schema, sky, tables
from racs_transients.database import inject_run
from racs_transients.database.sky_objects import join, window
from racs_transients.linking import REACH
from web_server.candidates.models import Crossmatch

NONE = pd.DataFrame({"ra": np.empty(0), "dec": np.empty(0), "name": np.empty(0, object)})


def rows_at(ra, dec, *, survey="SUMSS", error=1.0):
    errors = dict.fromkeys(("askap_ra_err", "askap_dec_err", "ref_ra_err", "ref_dec_err"), error)
    return pd.DataFrame({"ra": ra, "dec": dec, "survey": survey, "name": "J", **errors})


def test_rows_at_one_place_find_their_objects_again():
    rows = rows_at([10.0, 10.0, 10.0], [-30.0, -30.0, -30.0])
    index, objects = join(rows, NONE)
    assert sorted(index) == [0, 1, 2]
    again, same = join(rows, objects)
    assert again.tolist() == index.tolist()
    assert len(same) == 3


def test_a_row_whose_object_is_taken_has_the_next_one_within_reach():
    arcsec = 1 / 3600
    _, objects = join(rows_at([0.0, 0.0], [0.0, 4 * arcsec]), NONE)
    # a later run finds both a little shifted, and both nearer to the second
    index, same = join(rows_at([0.0, 0.0], [2.5 * arcsec, 4.2 * arcsec]), objects)
    assert index.tolist() == [0, 1]
    assert len(same) == 2
    # what is out of reach is another object
    index, more = join(rows_at([0.0, 0.0], [10 * arcsec, 4.2 * arcsec]), objects)
    assert index.tolist() == [2, 1]
    assert len(more) == 3


@pytest.mark.parametrize(
    ("ra", "dec"),
    [((358, 362), (-62, -58)), ((100, 104), (-89.9, -89.0)), ((0, 360), (-90, -89.99)), ((178, 182), (-2, 3))],
)
def test_every_object_within_reach_is_inside_the_window(ra, dec):
    rng = np.random.default_rng(1)
    places = rng.uniform(*ra, 400) % 360, rng.uniform(*dec, 400)
    low, high, south, north = window(*places)
    # as far away as can be joined, in every direction
    vectors = sky.unit_vectors(*places) + rng.normal(0, 1, (400, 3))
    along = np.cross(sky.unit_vectors(*places), vectors)
    along /= np.linalg.norm(along, axis=1)[:, None]
    angle = np.deg2rad(REACH[1] / 3600)
    x, y, z = (np.cos(angle) * sky.unit_vectors(*places) + np.sin(angle) * along).T
    far_ra, far_dec = np.rad2deg(np.arctan2(y, x)) % 360, np.rad2deg(np.arctan2(z, np.hypot(x, y)))
    inside = (far_ra >= low) & (far_ra <= high) if low <= high else (far_ra >= low) | (far_ra <= high)
    assert (inside & (far_dec >= south) & (far_dec <= north)).all()


def test_the_window_is_as_wide_as_the_rows_not_as_the_sky():
    low, high, south, north = window([359.0, 0.5, 1.0], [-60.0, -61.0, -60.5])
    assert (low, high) == pytest.approx((359.0, 1.0), abs=0.01)
    assert (south, north) == pytest.approx((-61.0, -60.0), abs=0.005)
    assert window([200.0], [10.0])[:2] == pytest.approx((200.0, 200.0), abs=0.005)
    assert window([0.0, 120.0, 240.0], [-89.9999, 0.0, 0.0])[:2] == (0.0, 360.0)


@pytest.mark.parametrize("dec", [-55.0, -89.9995])
def test_an_object_on_the_other_side_of_the_meridian_or_pole_is_found(db, results, read, new_run, change_manifest, dec):
    path = results / products.MASTER
    rows = tables.read_csv(path, schema.CROSSMATCHES).iloc[:1]
    ra = (0.0004, 359.9996) if dec > -89 else (10.0, 190.0)
    tables.write_csv(rows.assign(ra=ra[0], dec=dec), path)
    assert inject_run(results, db).new_objects == 1
    tables.write_csv(rows.assign(ra=ra[1], dec=dec), path)
    new_run(results)
    manifest = json.loads((results / "run.json").read_text())
    change_manifest(results, image=manifest["image"] | {"sha256": "f" * 64})
    assert inject_run(results, db).new_objects == 0
    with read(db) as alias:
        assert Crossmatch.objects.using(alias).values("sky_object").distinct().count() == 1
        assert Crossmatch.objects.using(alias).count() == 2

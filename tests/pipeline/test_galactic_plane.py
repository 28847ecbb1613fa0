"""A real image in the Galactic plane, where SUMSS's own catalogue has nothing: MGPS-2 or the guard answers."""

import json

import numpy as np
import pandas as pd
import pytest

from racs_transients import schema, tables
from racs_transients.catalogues import fetch_reference, read_reference_file
from racs_transients.cli import process_askap_image
from racs_transients.errors import CatalogueError
from racs_transients.surveys import SUMSS
from tests.servers import LocalVizier, serving
from tests.unit.test_catalogues import MAIN, MGPS, mgps_rows, sumss_rows

pytestmark = pytest.mark.realdata
RA, DEC = 257.124, -43.213


@pytest.fixture
def command(real_data, tmp_path):
    # an ATCA mosaic in the projection NCP
    image = real_data / "images/ScorpioS17Field.fits.gz"
    words = [str(image), "--produce-overlays", "no", "--db-inject", "no", "--output-dir", str(tmp_path / "out")]
    return [*words, "--cache-dir", str(tmp_path / "cache")]


def test_the_guard_stops_where_only_the_sumss_catalogue_answers(real_data, command, tmp_path, capfd):
    only_sumss = LocalVizier({MAIN: sumss_rows(n=3, ra=RA, dec=DEC, half=0.2)})
    with serving(only_sumss) as vizier, pytest.raises(CatalogueError, match="too few to be true"):
        fetch_reference(SUMSS, RA, DEC, 0.9, cache_dir=tmp_path, url=vizier.url, pause=0.01)
    derived = real_data / "reference_catalogues/sumss_vizier_columns_derived.csv.gz"
    assert process_askap_image([*command, "--sumss-csv", str(derived)]) == 1
    assert "has no source within" in capfd.readouterr().err


@pytest.mark.slow
def test_mgps_2_answers(command, tmp_path):
    rows = pd.concat([sumss_rows(n=520, ra=RA, dec=DEC), sumss_rows(n=6, ra=RA, dec=DEC, half=0.1, seed=2)])
    with serving(LocalVizier({MGPS: mgps_rows(rows)})) as vizier:
        assert process_askap_image([*command, "--vizier-url", vizier.url]) == 0
    results = next((tmp_path / "out").iterdir())
    listed = tables.read_csv(next(results.glob("*_sumss_comp.csv")), schema.REFERENCES)
    assert len(listed) >= 6
    assert listed["name"].str.startswith("MGPS J").all()
    assert json.loads((results / "run.json").read_text())["state"] == "complete"


def test_genuine_mgps_2_rows_keep_their_names(real_data):
    path = real_data / "reference_catalogues/sumss_bright_sources.csv.gz"
    raw = pd.read_csv(path, sep=";")
    named = read_reference_file(path, SUMSS).set_index("name")
    own = raw[raw["MGPS"].notna()].set_index("MGPS").add_prefix("raw ")
    assert len(own) == 849
    found = named[named.index.str.startswith("MGPS J")]
    # none is within half a beam of a source of SUMSS
    assert sorted(found.index) == sorted("MGPS " + own.index)
    np.testing.assert_allclose(found["flux_int"], own["raw St"].loc[found.index.str.removeprefix("MGPS ")])

"""A run that fetches its survey images from a server that answers like SkyView."""

import shutil

import pandas as pd
import pytest

from racs_transients import products
from racs_transients.cli import process_askap_image
from racs_transients.simulate import compare_with_truth
from racs_transients.surveys import SUMSS
from tests.servers import LocalSkyView, serving_skyview

pytestmark = pytest.mark.slow


@pytest.fixture
def skyview(small_field):
    truth = pd.read_csv(small_field.truth)
    seen = truth[truth["survey_flux"] > 1]
    with serving_skyview(LocalSkyView(SUMSS, seen[["ra", "dec", "survey_flux"]].to_numpy())) as server:
        yield server


def test_new_sources_are_measured_on_fetched_images(
    small_field, small_command, small_results, skyview, tmp_path, monkeypatch
):
    shutil.copytree(small_results, tmp_path / "out" / small_results.name)
    monkeypatch.setenv("RACS_TRANSIENTS_SKYVIEW_URL", skyview.url)
    command = [*small_command[:3], "--transients", "--fetch-mosaics", "--cache-dir", str(tmp_path / "cache")]
    command += ["--output-dir", str(tmp_path / "out")]
    assert process_askap_image(command) == 0
    master = products.read_results(tmp_path / "out" / small_results.name)
    new = master[master["type"] == "nocatalogmatch"]
    assert set(new["ref_origin"]) == {"forced"}
    assert new["ref_mosaic"].str.startswith("sumss_").all()
    found = compare_with_truth(pd.read_csv(small_field.truth), master, small_field.settings).transients
    found = found[(found["kind"] == "new") & ~found["reason"].str.contains("Edge")]
    assert found["found"].all()
    asked = len(skyview.queries)
    assert 1 <= asked <= 4
    # the same command again asks no more
    assert process_askap_image(command) == 0
    assert len(skyview.queries) == asked

"""The example of PIPELINE.md: a survey of one's own, from a file, at another frequency."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from racs_transients import products, schema, sky, tables
from racs_transients.cli import process_askap_image
from racs_transients.simulate import compare_with_truth
from racs_transients.surveys import frequency_factor

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(small_field, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    example = re.search(
        r"```ini\n(\[ANALYSIS\]\nsurvey = EXAMPLE.*?)```", (ROOT / "PIPELINE.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (folder / "run.ini").write_text(example[1])
    seen = pd.read_csv(small_field.catalogue)
    factor = frequency_factor(843, 1000)
    own = {
        "RA": seen["_RAJ2000"],
        "DEC": seen["_DEJ2000"],
        "S_int": seen["St"] * factor / 1e3,
        "e_S_int": seen["e_St"] * factor / 1e3,
        "Name": [f"EX{number}" for number in range(len(seen))],
    }
    pd.DataFrame(own).to_csv(folder / "example_survey.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = [
            str(small_field.image),
            "-c",
            "run.ini",
            "--transients",
            "--produce-overlays",
            "no",
            "--db-inject",
            "no",
        ]
        assert process_askap_image([*words, "--output-dir", str(folder / "out")]) == 0
    return next((folder / "out").iterdir())


def test_injected_new_sources_are_found_against_it(small_field, results):
    master = products.read_results(results)
    assert set(master["survey"]) == {"EXAMPLE"}
    truth = pd.read_csv(small_field.truth)
    found = compare_with_truth(truth, master, small_field.settings).transients
    # without mosaics only what is twice the limit can be a candidate
    limit = 2 * 8 / frequency_factor(small_field.settings.frequency, 1000)
    bright = found[(found["kind"] == "new") & (found["askap_flux"] > 1.2 * limit) & ~found["blocked"]]
    bright = bright[~bright["reason"].str.contains("Edge")]
    assert len(bright) >= 3
    assert bright["found"].all()


def test_its_files_carry_its_name_and_its_sources_theirs(results):
    listed = tables.read_csv(next(results.glob("*_example_comp.csv")), schema.REFERENCES)
    assert listed["name"].str.startswith("EX").all()
    assert (listed["flux_int"] > 1).all()
    settings = json.loads((results / "run.json").read_text())["settings"]
    assert settings["surveys"]["EXAMPLE"]["flux_int"] == "S_int [Jy]"


def test_named_surveys_are_compared_with_in_the_order_given(small_field, small_results, tmp_path):
    seen = pd.read_csv(small_field.catalogue)
    factor = frequency_factor(843, 887.5)
    racs = pd.DataFrame(
        {
            "RACS-DR1": sky.iau_name("", seen["_RAJ2000"], seen["_DEJ2000"]), "_RAJ2000": seen["_RAJ2000"],
            "_DEJ2000": seen["_DEJ2000"], "Ftot": seen["St"] * factor, "e_Ftot": seen["e_St"] * factor,
            "Fpk": seen["Sp"] * factor, "e_Fpk": seen["e_Sp"] * factor, "amaj": 25.5, "bmin": 25.0, "PA": 0.0,
        }
    )  # fmt: skip
    racs.to_csv(tmp_path / "racs.csv", index=False)
    shutil.copytree(small_results, tmp_path / "out" / small_results.name)
    words = [str(small_field.image), "--survey", "racs-low,sumss", "--racs-low-csv", str(tmp_path / "racs.csv")]
    words += ["--sumss-csv", str(small_field.catalogue), "--transients", "--output-dir", str(tmp_path / "out")]
    assert process_askap_image(words) == 0
    results = tmp_path / "out" / small_results.name
    master = products.read_results(results)
    assert list(master["survey"].unique()) == ["RACS-low", "SUMSS"]
    own = master[master["survey"] == "RACS-low"]
    assert own["ref_name"].dropna().str.startswith("RACS-DR1 J").all()
    assert set(own.loc[own["ref_origin"] == "limit", "ref_flux"]) == {5.0}
    # its noise is so low that sources below its completeness are listed; of them the catalogue says nothing
    faint = own[(own["ref_origin"] == "limit") & (own["askap_scaled_flux"] < 5.0)]
    assert (faint["askap_scaled_flux"] < 2.5).any()
    assert (faint["ratio"] == 1).all()
    assert not faint["is_candidate"].any()
    # at the image's own frequency
    match = own[own["type"] == "match"]
    assert match["askap_scaled_flux"].to_numpy() == pytest.approx(match["askap_flux"].to_numpy())
    # what was scaled to the one survey's frequency by hand is scaled to the other's by the pipeline
    pairs = match.merge(master[(master["survey"] == "SUMSS") & (master["type"] == "match")], on="askap_source_id")
    assert pairs["ln_ratio_x"].to_numpy() == pytest.approx(pairs["ln_ratio_y"].to_numpy(), abs=0.01)
    assert next(results.glob("*_racs-low_comp.csv")).exists()

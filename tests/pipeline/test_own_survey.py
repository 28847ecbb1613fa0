"""The example of PIPELINE.md: a survey of one's own, from a file, at another frequency."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from racs_transients import products, schema, tables
from racs_transients.cli import process_askap_image
from racs_transients.simulate import compare_with_truth
from racs_transients.surveys import frequency_factor

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
    master = tables.read_csv(results / products.MASTER, schema.CROSSMATCHES)
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

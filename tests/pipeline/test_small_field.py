"""The whole pipeline on a small simulated field."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from astropy.io.votable import parse_single_table

from racs_transients import products, schema, sky, tables
from racs_transients.cli import process_askap_image
from racs_transients.simulate import compare_with_truth
from racs_transients.simulate.observation import edge_rise

STEM = "image.i.SIM.cont.taylor.0.restored"


@pytest.fixture(scope="module")
def master(small_results):
    return products.read_results(small_results)


def test_every_documented_file_is_there(small_results):
    names = {str(path.relative_to(small_results)) for path in small_results.rglob("*") if path.is_file()}
    assert {
        "run.json",
        "processASKAPimage.log",
        f"{STEM}_comp.csv",
        f"{STEM}_sumss_comp.csv",
        f"{STEM}_sumss_askap_crossmatch_diagnostic.csv",
        f"{STEM}_sumss_askap_crossmatch_transient.csv",
        products.MASTER,
        products.MASTER_VOTABLE,
        *products.CATEGORY_FILES.values(),
    } <= names
    assert not [name for name in names if ".part" in name]


def test_the_master_table_is_the_three_categories(small_results, master):
    parts = [
        tables.read_csv(small_results / name, schema.CROSSMATCHES).assign(expected=category)
        for category, name in products.CATEGORY_FILES.items()
    ]
    together = pd.concat(parts)
    assert (together["type"] == together["expected"]).all()
    assert sorted(together["match_id"]) == list(range(1, len(master) + 1)) == list(master["match_id"])
    assert all(len(part) > 0 for part in parts)


def test_bright_transients_in_the_open_are_found(small_field, master):
    result = compare_with_truth(pd.read_csv(small_field.truth), master, small_field.settings)
    settings = small_field.settings
    east, north = sky.offsets(settings.ra, settings.dec, result.transients["ra"], result.transients["dec"])
    inside = edge_rise(settings, east, north) < 1.7
    open_field = result.transients[inside & ~result.transients["blocked"]]
    assert len(open_field) >= 5
    assert open_field["found"].all(), open_field
    assert len(result.false[~result.false["truly_changed"]]) == 0


def test_offsets_and_flux_scale_of_the_field_are_recovered(small_field, small_results):
    found = json.loads((small_results / "run.json").read_text())["surveys"]["SUMSS"]["calibration"]
    pairs = tables.read_csv(small_results / f"{STEM}_sumss_askap_crossmatch_diagnostic.csv", products.PAIRS)
    near = pairs[pairs["separation"] < 5]
    assert near["ra_offset"].median() == pytest.approx(small_field.settings.ra_offset, abs=1.0)
    assert near["dec_offset"].median() == pytest.approx(small_field.settings.dec_offset, abs=1.0)
    assert 0.8 < found["flux_scale"] < 1.25


def test_columns_mean_what_the_schema_says(master):
    assert (master["ratio"].dropna() >= 1).all()
    assert (master["vs_abs"].dropna() == master["vs"].abs().dropna()).all()
    match = master[master["type"] == "match"]
    assert (match["separation"] <= 45).all()
    assert (np.sign(match["vs"]) == np.sign(match["ln_ratio"])).all()
    vanished = master[master["type"] == "noaskapmatch"]
    assert set(vanished["askap_origin"]) <= {"forced", "none"}
    assert vanished["native_flux"].notna().any()
    assert (master.loc[master["type"] == "nocatalogmatch", "predicted_snr"] >= 5).all()
    assert master.loc[master["is_candidate"], "flag"].eq("Good").all()
    assert (master["ratio"].dropna().diff().dropna() <= 0).all()


def test_votable_holds_the_same_rows(small_results, master):
    table = parse_single_table(small_results / products.MASTER_VOTABLE).to_table()
    assert len(table) == len(master)
    np.testing.assert_allclose(np.asarray(table["ratio"], float), master["ratio"], equal_nan=True)
    assert str(table["askap_flux"].unit) == "mJy"


def test_the_manifest_says_what_was_done(small_field, small_results):
    manifest = json.loads((small_results / "run.json").read_text())
    assert manifest["state"] == "complete"
    assert manifest["inputs"]["sumss_csv"]["path"] == str(small_field.catalogue)
    assert len(manifest["image"]["sha256"]) == 64
    assert manifest["settings"]["transients"]["transients"] is True
    assert sum(manifest["surveys"]["SUMSS"]["rows"].values()) > 20
    assert products.MASTER in manifest["products"]
    assert {"image", "noise maps", "ASKAP sources"} <= {stage["name"] for stage in manifest["stages"]}


def _tables(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.csv")) if ".cache" not in str(p)}


@pytest.mark.slow
def test_the_same_command_again_reuses_the_costly_stages_and_gives_the_same_bytes(
    small_command, small_results, tmp_path
):
    again = tmp_path / small_results.name
    shutil.copytree(small_results, again)
    assert process_askap_image([*small_command, "--output-dir", str(tmp_path)]) == 0
    assert _tables(again) == _tables(small_results)
    stages = {s["name"]: s["result"] for s in json.loads((again / "run.json").read_text())["stages"]}
    assert "earlier run" in stages["noise maps"]
    assert "earlier run" in stages["ASKAP sources"]


@pytest.mark.slow
def test_the_order_of_the_catalogue_changes_no_measurement(small_field, small_command, small_results, master, tmp_path):
    shuffled = tmp_path / "shuffled.csv"
    pd.read_csv(small_field.catalogue).sample(frac=1, random_state=4).to_csv(shuffled, index=False)
    results = tmp_path / small_results.name
    shutil.copytree(small_results, results)
    command = [str(shuffled) if word == str(small_field.catalogue) else word for word in small_command]
    assert process_askap_image([*command, "--output-dir", str(tmp_path)]) == 0
    found = products.read_results(results)
    columns = ["name", "type", "ratio", "vs", "flag", "is_candidate", "blend_flux"]
    pd.testing.assert_frame_equal(found[columns], master[columns], rtol=1e-9)


@pytest.mark.slow
def test_remove_extended_acts_on_the_diagnostic_crossmatch_only(small_command, small_results, master, tmp_path):
    results = tmp_path / small_results.name
    shutil.copytree(small_results, results)
    options = ["--remove-extended", "--askap-ext-thresh", "1.1", "--correct-flux-scale", "no"]
    assert process_askap_image([*small_command, *options, "--output-dir", str(tmp_path)]) == 0
    name = f"{STEM}_sumss_askap_crossmatch_diagnostic.csv"
    before, after = (pd.read_csv(folder / name) for folder in (small_results, results))
    assert (before["askap_major"] > 1.1 * before["askap_beam_major"]).any()
    assert (after["askap_major"] <= 1.1 * after["askap_beam_major"]).all()
    found = products.read_results(results)
    assert sorted(found["name"]) == sorted(master["name"])


@pytest.mark.slow
def test_without_transients_only_the_lists_are_compared(small_command, small_results, tmp_path):
    results = tmp_path / small_results.name
    shutil.copytree(small_results / ".cache", results / ".cache")
    shutil.copy(small_results / "run.json", results)
    command = [word for word in small_command if word != "--transients"]
    assert process_askap_image([*command, "--output-dir", str(tmp_path)]) == 0
    assert (results / f"{STEM}_sumss_askap_crossmatch_transient.csv").exists()
    assert not (results / "transients").exists()


@pytest.mark.slow
def test_without_mosaics_new_sources_are_compared_with_the_completeness_limit(small_command, small_results, tmp_path):
    shutil.copytree(small_results, tmp_path / small_results.name)
    command = small_command[:3] + small_command[5:]
    assert process_askap_image([*command, "--output-dir", str(tmp_path)]) == 0
    found = products.read_results(tmp_path / small_results.name)
    new = found[found["type"] == "nocatalogmatch"]
    assert set(new["ref_origin"]) == {"limit"}
    assert set(new["ref_flux"]) == {8.0}
    assert new["ratio_is_limit"].all()


def test_a_supplied_source_list_gives_the_same_candidates(small_command, small_results, master, tmp_path):
    listed = next(small_results.rglob("aegean_comp.csv"))
    assert process_askap_image([*small_command, "--askap-csv", str(listed), "--output-dir", str(tmp_path)]) == 0
    found = products.read_results(tmp_path / small_results.name)
    assert list(found.loc[found["is_candidate"], "name"]) == list(master.loc[master["is_candidate"], "name"])


def test_a_neighbour_of_a_source_whose_fit_was_flagged_is_no_transient(small_command, small_results, tmp_path):
    """Selavy and Aegean flag fits of some of the brightest sources; their catalogue sources then match a faint one."""
    (path,) = small_results.glob("*.restored_comp.csv")
    sources = pd.read_csv(path, comment="#")
    rows = pd.read_csv(next(small_results.glob("transients/transients_good_matches.csv")), comment="#")
    alone = rows[(rows["flag"] == "Good") & (rows["ratio"] < 1.3) & (rows["askap_nn_separation"] > 150)]
    row = alone.nlargest(1, "askap_flux").iloc[0]
    assert row["askap_flux"] > 10
    is_it = sources["source_id"] == row["askap_source_id"]
    faint = sources[is_it].assign(dec=row["askap_dec"] + 30 / 3600, flux_peak=1.5, flux_int=1.5, island_id="new")
    given = pd.concat([sources.assign(finder_flags=is_it.astype(int)), faint.assign(finder_flags=0)])
    given.to_csv(tmp_path / "list.csv", index=False)
    assert (
        process_askap_image([*small_command, "--askap-csv", f"{tmp_path}/list.csv", "--output-dir", f"{tmp_path}"]) == 0
    )
    after = pd.read_csv(next(tmp_path.glob("*_results/transients/transients_master.csv")), comment="#")
    (found,) = after[after["ref_name"] == row["ref_name"]].to_dict("records")
    assert found["askap_flux"] == pytest.approx(1.5)
    assert found["ratio"] > 5
    assert found["flag"] == "Likely double"
    assert not found["is_candidate"]

"""Flags: what each says, what it does, and that all of them are kept."""

from pathlib import Path

import pandas as pd
import pytest

from racs_transients import candidates, flags, schema, tables
from racs_transients.config import FlagSettings
from racs_transients.crossmatch import MATCH, NO_ASKAP_MATCH, NO_CATALOGUE_MATCH
from racs_transients.flags import FLAGS, GOOD, Severity

SETTINGS = FlagSettings()
QUIET = {
    "ratio": 1.1, "ratio_peak": 1.1, "vs_abs": 1.0, "askap_major": 15.0, "askap_minor": 12.0, "askap_beam_major": 15.0,
    "askap_beam_minor": 12.0, "ref_major": 60.0, "ref_minor": 45.0, "ref_beam_major": 60.0, "ref_beam_minor": 45.0,
    "askap_island_components": 1, "bright_flux": 0.0, "bright_sum": 0.0,
    "askap_scaled_flux": 20.0, "ref_scaled_flux": 20.0,
    "askap_flux": 1.0, "askap_rms": 0.25, "image_rms": 0.25, "predicted_snr": 50.0, "askap_nn_separation": 300.0,
    "askap_origin": "detected", "ref_origin": "forced", "on_edge": False,
}  # fmt: skip


def judged(category, **values):
    frame = tables.conform(pd.DataFrame([{**QUIET, "type": category, **values}]), schema.CROSSMATCHES)
    return candidates.with_verdict(frame, SETTINGS, outlier_threshold=3.0).iloc[0]


CASES = [
    ("Failed", MATCH, {"ratio": float("nan")}),
    ("Failed", NO_CATALOGUE_MATCH, {"vs_abs": float("nan")}),
    ("Edge of ASKAP image", MATCH, {"on_edge": True}),
    ("Extended source", MATCH, {"askap_major": 27.0}),
    ("Extended source", NO_ASKAP_MATCH, {"ref_minor": 80.0}),
    ("Extended source", NO_CATALOGUE_MATCH, {"askap_minor": 22.0}),
    ("Large island source", MATCH, {"askap_island_components": 3}),
    ("Likely artefact (bright source)", NO_ASKAP_MATCH, {"bright_flux": 500.0}),
    ("Likely artefact (bright source)", NO_CATALOGUE_MATCH, {"bright_flux": 500.0}),
    ("Likely artefact (bright source)", NO_ASKAP_MATCH, {"bright_sum": 12000.0}),
    ("Likely bright extended structure", NO_ASKAP_MATCH, {"askap_flux_peak": 13.0}),
    ("Likely bright extended structure", NO_ASKAP_MATCH, {"askap_flux": 2.8}),
    ("Local RMS too high", NO_ASKAP_MATCH, {"predicted_snr": 4.9}),
    ("Local RMS too high", NO_CATALOGUE_MATCH, {"askap_rms": 1.3}),
    ("Likely double", NO_CATALOGUE_MATCH, {"askap_island_components": 2}),
    ("Likely double", MATCH, {"ratio": 2.5, "ln_ratio": 0.92, "vs_abs": 9.0, "blend_explains": 0.5}),
    ("Likely double", NO_CATALOGUE_MATCH, {"ratio": 2.5, "vs_abs": 9.0, "blend_explains": 0.7}),
    ("Created convolved source", NO_CATALOGUE_MATCH, {"native_separation": 31.0, "native_beam_major": 15.0}),
    (
        "Inflated convolved flux error",
        NO_CATALOGUE_MATCH,
        {"native_separation": 3.0, "native_beam_major": 15.0, "native_predicted_snr": 4.0},
    ),
    ("Large ratio not significant", MATCH, {"ratio": 2.5, "vs_abs": 3.0}),
]


@pytest.mark.parametrize(("words", "category", "values"), CASES)
def test_each_veto_removes_its_rows_and_names_itself(words, category, values):
    changed = {"ratio": 9.0, "ratio_peak": 9.0, "vs_abs": 20.0}
    plain, flagged = judged(category, **changed), judged(category, **{**changed, **values})
    assert plain["flag"] == GOOD
    assert plain["is_candidate"]
    assert flagged["flag"] == words
    assert not flagged["is_candidate"]
    assert words in flags.names_of(flagged["flag_bits"])


def test_every_veto_has_a_case_here():
    assert {f.name for f in FLAGS if f.severity is Severity.VETO} == {case[0] for case in CASES}


@pytest.mark.parametrize(
    ("words", "category", "values"),
    [
        ("Close neighbour", NO_CATALOGUE_MATCH, {"askap_nn_separation": 100.0}),
        ("Survey limit only", NO_CATALOGUE_MATCH, {"ref_origin": "limit"}),
        ("Peak and integrated disagree", MATCH, {"ratio_peak": 1.0}),
        (
            "Flux convolved error",
            MATCH,
            {"native_nn_separation": 60.0, "native_beam_major": 15.0, "native_separation": 1.0, "native_flux": 2.0},
        ),
    ],
)
def test_a_caution_warns_and_keeps_the_candidate(words, category, values):
    row = judged(category, ratio=9.0, vs_abs=20.0, **{"ratio_peak": 9.0, **values})
    assert words in flags.names_of(row["flag_bits"])
    assert row["flag"] == GOOD
    assert row["is_candidate"]


def test_an_ordinary_match_is_good_and_no_candidate():
    row = judged(MATCH, blend_explains=0.99)
    assert (row["flag"], row["flag_bits"], row["is_candidate"]) == (GOOD, 0, False)


def test_a_bright_neighbour_does_not_veto_what_it_could_not_make():
    assert judged(NO_CATALOGUE_MATCH, ratio=9.0, vs_abs=30.0, ratio_peak=9.0, bright_flux=390.0)["is_candidate"]


def test_from_afar_bright_sources_spoil_only_what_a_catalogue_lists():
    changed = {"ratio": 9.0, "ratio_peak": 9.0, "vs_abs": 20.0, "bright_sum": 12000.0}
    assert judged(NO_CATALOGUE_MATCH, **changed)["is_candidate"]
    assert not judged(NO_ASKAP_MATCH, **changed)["is_candidate"]


def test_the_noise_of_a_wider_beam_is_no_disturbed_place():
    # without convolution the forced flux has the noise of the survey's resolution, the image has its own
    changed = {"ratio": 9.0, "ratio_peak": 9.0, "vs_abs": 20.0, "askap_rms": 1.3, "native_rms": 0.25}
    assert judged(NO_ASKAP_MATCH, **changed)["is_candidate"]
    # with it 1.3 is the noise of the image compared
    assert judged(NO_ASKAP_MATCH, **changed, native_beam_major=15.0)["flag"] == "Local RMS too high"


def test_a_blend_that_leaves_a_large_change_vetoes_nothing():
    assert judged(NO_ASKAP_MATCH, ratio=9.0, ln_ratio=2.2, vs_abs=30.0, ratio_peak=9.0, blend_explains=0.6)[
        "is_candidate"
    ]


def test_all_flags_are_kept_and_the_first_of_the_category_is_shown():
    row = judged(NO_ASKAP_MATCH, on_edge=True, bright_flux=500.0, ref_major=200.0)
    assert row["flag"] == "Likely artefact (bright source)"
    assert set(flags.names_of(row["flag_bits"])) == {
        "Likely artefact (bright source)", "Edge of ASKAP image", "Extended source",
    }  # fmt: skip


def test_missing_sizes_and_neighbours_raise_no_flag():
    nothing = dict.fromkeys(
        ("askap_major", "askap_minor", "ref_major", "ref_minor", "askap_nn_separation"), float("nan")
    )
    assert judged(NO_CATALOGUE_MATCH, **nothing, askap_island_components=None)["flag_bits"] == 0


def test_bits_are_unique_and_every_veto_has_a_place_in_its_categories():
    assert len({f.bit for f in FLAGS}) == len(FLAGS)
    for flag in FLAGS:
        for category in flag.categories:
            listed = flag.name in flags.PRIMARY_ORDER[category]
            assert listed == (flag.severity is Severity.VETO), (flag.name, category)


def test_the_table_of_flags_in_pipeline_md_is_up_to_date():
    text = (Path(__file__).parents[2] / "PIPELINE.md").read_text(encoding="utf-8")
    for f in FLAGS:
        assert f"| {f.bit} | {f.name} | {f.severity} | {', '.join(f.categories)} | {f.description} |" in text


def test_the_thresholds_in_pipeline_md_are_the_defaults():
    text = " ".join((Path(__file__).parents[2] / "PIPELINE.md").read_text(encoding="utf-8").split())
    t = SETTINGS
    for words in (
        f"fainter than {100 * t.bright_near_fraction:g} % of their flux, ",
        f"fading to nothing at {t.bright_source_radius:g}′",
        f"fainter than {100 * t.bright_far_fraction:g} % of all bright flux within {t.bright_far_radius:g}′",
        f"local noise is over {t.local_rms_factor:g} × the image's",
        f"forced flux is over {t.unfound_snr:g} × the local noise",
        f"Another source within {t.double_separation:g}″",
        f"ratio ≥ {t.candidate_min_ratio:g} with |Vs| < {t.min_significance:g} is noise",
        f"within `--created-beams` ({t.created_beams:g})",
        f"the island within {t.island_reach:g}″",
    ):
        assert words in text

"""The comparison of a run with the truth."""

from __future__ import annotations

import pandas as pd
import pytest

from racs_transients.simulate import FieldSettings, compare_with_truth

SETTINGS = FieldSettings(size=2000, ra=0.0, dec=-55.0)
FACTOR = (843.0 / 887.5) ** -0.8


def _truth(*rows):
    names = ["kind", "ra", "dec", "askap_flux", "survey_flux"]
    return pd.DataFrame(rows, columns=names).assign(truth_id=range(1, len(rows) + 1), major=0.0)


def _rows(*rows):
    names = ["type", "ra", "dec", "is_candidate", "flag", "ratio"]
    return pd.DataFrame(rows, columns=names).astype({"is_candidate": bool, "ratio": float})


def test_a_transient_counts_as_found_only_with_a_candidate_near_it():
    truth = _truth(
        ("new", 0.0, -55.0, 50.0, 0.0), ("vanished", 0.3, -55.0, 0.0, 50.0), ("variable", 359.7, -55.1, 90.0, 20.0)
    )
    rows = _rows(
        ("nocatalogmatch", 359.9999, -55.001, True, "Good", 9.0),
        ("noaskapmatch", 0.3, -55.0, False, "Edge of ASKAP image", 8.0),
        ("match", 359.7, -55.11, True, "Good", 4.0),  # 36″ off
    )
    result = compare_with_truth(truth, rows, SETTINGS)
    assert result.transients["found"].to_list() == [True, False, False]
    assert "Edge of ASKAP image" in result.transients["reason"][1]
    assert "noaskapmatch" in result.transients["reason"][1]
    assert result.transients["reason"][0] == ""
    assert len(result.false) == 1


def test_signal_is_that_of_the_poorer_band():
    truth = _truth(("new", 0.0, -55.0, 27.4, 0.0), ("vanished", 0.3, -55.0, 0.0, 27.4))
    result = compare_with_truth(truth, _rows(("match", 90.0, 0.0, False, "Good", 1.0)), SETTINGS)
    rms = float(SETTINGS.reference.rms.at(-55.0))
    assert result.transients["snr"].to_list() == pytest.approx([27.4 * FACTOR / rms, 27.4 / rms])
    assert result.transients["reason"].to_list() == ["no row", "no row"]


def test_a_neighbour_within_the_survey_beam_blocks_and_a_faint_one_does_not():
    def one(distance_arcsec, flux):
        truth = _truth(
            ("new", 0.0, -55.0, 50.0, 0.0), ("steady", 0.0, -55.0 + distance_arcsec / 3600, flux, flux * FACTOR)
        )
        rows = _rows(("match", 90.0, 0.0, False, "Good", 1.0))
        return bool(compare_with_truth(truth, rows, SETTINGS).transients["blocked"][0])

    assert one(40, 20)
    assert not one(40, 1)
    assert not one(70, 20)


def test_false_candidates_say_whether_the_source_truly_changed():
    truth = _truth(("steady", 0.0, -55.0, 10.0, 10.0 * FACTOR), ("steady", 0.3, -55.0, 10.0, 3.0 * FACTOR))
    rows = _rows(("match", 0.0, -55.0, True, "Good", 2.5), ("match", 0.3, -55.0, True, "Good", 3.0))
    false = compare_with_truth(truth, rows, SETTINGS).false
    assert false["truly_changed"].to_list() == [False, True]
    assert false["true_ratio"].to_list() == pytest.approx([1.0, 10 / 3])


def test_neither_an_artefact_nor_a_far_source_excuses_a_false_candidate():
    truth = _truth(
        ("artefact_askap", 0.0, -55.0, 30.0, 0.0),
        ("artefact_survey", 0.1, -55.0, 0.0, 30.0),
        ("steady", 0.3, -55.0, 10.0, 3.0 * FACTOR),
    )
    rows = _rows(
        ("nocatalogmatch", 0.0, -55.0, True, "Good", 5.0),
        ("noaskapmatch", 0.1, -55.0, True, "Good", 5.0),
        ("nocatalogmatch", 0.3, -55.01, True, "Good", 3.0),  # 36″ off
    )
    false = compare_with_truth(truth, rows, SETTINGS).false
    assert len(false) == 3
    assert not false["truly_changed"].any()


def test_a_run_without_candidates_finds_nothing_and_has_no_false_ones():
    truth = _truth(("new", 0.0, -55.0, 50.0, 0.0))
    rows = _rows(("nocatalogmatch", 0.0, -55.0, False, "Edge of ASKAP image", 9.0))
    result = compare_with_truth(truth, rows, SETTINGS)
    assert not result.transients["found"].any()
    assert result.false.empty
    assert result.area == pytest.approx(SETTINGS.area)


def test_a_run_without_rows_has_found_nothing():
    truth = _truth(("new", 0.0, -55.0, 50.0, 0.0))
    rows = _rows(("match", 90.0, 0.0, False, "Good", 1.0)).iloc[:0]
    assert compare_with_truth(truth, rows, SETTINGS).transients["reason"].to_list() == ["no row"]


def test_an_artefact_does_not_excuse_a_loss():
    truth = _truth(("new", 0.0, -55.0, 50.0, 0.0), ("artefact_askap", 0.0, -55.01, 30.0, 0.0))
    rows = _rows(("match", 90.0, 0.0, False, "Good", 1.0))
    assert not compare_with_truth(truth, rows, SETTINGS).transients["blocked"][0]

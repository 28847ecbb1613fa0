"""Counterparts at full resolution, and catalogue sources whose ASKAP source convolution hid."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pandas as pd

from racs_transients import schema, tables
from racs_transients.comparison import FluxScaling
from racs_transients.config import Crossmatching
from racs_transients.crossmatch import associate
from racs_transients.native import counterparts, hidden_matches
from racs_transients.stages.association import transient_crossmatch
from racs_transients.surveys import SUMSS

ARCSEC = 1 / 3600


def listed(*north, flux=20.0):
    """A source list: points at arcsec north of a place."""
    rows = pd.DataFrame(
        {
            "source_id": range(1, len(north) + 1), "name": [f"J{n}" for n in north], "ra": 50.0,
            "dec": [-40 + n * ARCSEC for n in north], "flux_int": flux, "flux_int_err": 1.0, "rms": 0.3,
            "nn_separation": 100.0,
        }
    )  # fmt: skip
    return tables.conform(rows, schema.SOURCES)


def block(convolved, native, survey_rms=2.0):
    return counterparts(
        convolved["ra"], convolved["dec"], native, beam_major=15.0, reach_beams=2.0,
        scaling=FluxScaling(1.0, 0.0), survey_rms=np.full(len(convolved), survey_rms),
    )  # fmt: skip


def test_the_nearest_source_within_two_beams_is_the_counterpart():
    found = block(listed(0, 500), listed(-300, 10, 540))
    assert list(found["native_source_id"].isna()) == [False, True]
    assert list(found["native_origin"]) == ["detected", "none"]
    assert found["native_separation"].round(3).tolist() == [10.0, 40.0]
    assert found["native_flux"][0] == 20.0
    assert found["native_predicted_snr"][0] == 10.0
    assert np.isnan(found["native_flux"][1])


def test_without_any_source_the_distance_is_infinite():
    found = block(listed(0), listed())
    assert np.isinf(found["native_separation"][0])


def test_a_lone_native_source_is_isolated():
    native = listed(3).assign(nn_separation=np.nan)
    assert np.isinf(block(listed(0), native)["native_nn_separation"][0])


def test_a_source_that_blended_away_is_found_at_full_resolution():
    references, convolved, native = listed(0, 60), listed(5), listed(0, 61)
    first = associate(references, convolved, 45.0)
    assert list(first.matched) == [True, False]
    hidden = hidden_matches(references, convolved, native, first, 45.0)
    assert list(hidden.matched) == [False, True]
    assert hidden.source[1] == 1


def test_the_counterpart_of_a_match_hides_nobody_else():
    # the only native source near the second entry is that of the first one's match
    references, convolved, native = listed(0, 46), listed(0), listed(2)
    first = associate(references, convolved, 45.0)
    assert not hidden_matches(references, convolved, native, first, 45.0).matched.any()


def test_what_vanished_is_not_hidden():
    references, convolved, native = listed(0, 300), listed(0), listed(0)
    first = associate(references, convolved, 45.0)
    assert not hidden_matches(references, convolved, native, first, 45.0).matched.any()


def test_a_convolved_image_without_any_source_leaves_the_hidden_pairs():
    listed_here = listed(0, 900)
    references = tables.conform(
        listed_here[["source_id", "name", "ra", "dec", "flux_int", "flux_int_err"]], schema.REFERENCES
    )
    field = SimpleNamespace(
        sources=listed(), references=references, survey=SUMSS, native=SimpleNamespace(sources=listed(1))
    )
    run = SimpleNamespace(
        config=SimpleNamespace(crossmatching=Crossmatching()),
        stages=lambda _: nullcontext(lambda _: None),
        folder=SimpleNamespace(survey=lambda _: {}),
    )
    association, hidden, pairs = transient_crossmatch(field, FluxScaling(1.0, 0.0), run)
    assert not association.matched.any()
    assert list(hidden.matched) == [True, False]
    assert list(pairs["ref_source_id"]) == [1]
    assert pairs["rescued"].all()

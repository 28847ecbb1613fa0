"""Rows of one object share its number; rows of different objects do not."""

import numpy as np
import pandas as pd
import pytest

from racs_transients import schema, tables
from racs_transients.linking import object_numbers

ARCSEC = 1 / 3600


def rows(*described):
    """Rows of (survey, type, arcsec north of a place, number of the ASKAP source)."""
    return tables.conform(
        pd.DataFrame(
            {
                "survey": [d[0] for d in described],
                "type": [d[1] for d in described],
                "ra": 10.0,
                "dec": [-35 + d[2] * ARCSEC for d in described],
                "askap_source_id": pd.array([d[3] for d in described], dtype="Int64"),
            }
        ),
        schema.CROSSMATCHES,
    )


def test_both_surveys_see_one_askap_source_at_different_places():
    table = rows(("SUMSS", "match", 0, 7), ("NVSS", "match", 30, 7), ("NVSS", "match", 300, 8))
    assert list(object_numbers(table)) == [1, 1, 2]


def test_a_source_that_is_new_in_one_survey_and_matched_in_the_other():
    table = rows(("SUMSS", "nocatalogmatch", 0, 7), ("NVSS", "match", 4, 7))
    assert list(object_numbers(table)) == [1, 1]


@pytest.mark.parametrize(("distance", "same"), [(3, True), (12, False)])
def test_what_vanished_since_both_surveys_is_linked_by_position(distance, same):
    table = rows(("SUMSS", "noaskapmatch", 0, None), ("NVSS", "noaskapmatch", distance, None))
    one, other = object_numbers(table)
    assert (one == other) == same


def test_uncertain_positions_reach_farther():
    table = rows(("SUMSS", "noaskapmatch", 0, None), ("NVSS", "noaskapmatch", 12, None))
    table["ref_ra_err"] = [1.0, 5.0]
    assert list(object_numbers(table)) == [1, 1]


def test_two_sources_of_one_survey_are_never_linked_by_position():
    table = rows(
        ("SUMSS", "noaskapmatch", 0, None), ("NVSS", "noaskapmatch", 1, None), ("NVSS", "noaskapmatch", -2, None)
    )
    assert list(object_numbers(table)) == [1, 1, 2]


def test_numbers_of_sources_in_convolved_images_mean_nothing_across_surveys():
    table = rows(("SUMSS", "match", 0, 7), ("NVSS", "match", 500, 7)).assign(native_beam_major=12.0)
    assert list(object_numbers(table)) == [1, 2]
    table["native_source_id"] = pd.array([31, 31], dtype="Int64")
    assert list(object_numbers(table)) == [1, 1]


def test_no_rows():
    assert len(object_numbers(tables.empty(schema.CROSSMATCHES))) == 0


def test_one_survey_alone_has_one_object_for_each_askap_source():
    table = rows(("SUMSS", "match", 0, 7), ("SUMSS", "match", 20, 7), ("SUMSS", "nocatalogmatch", 2, 9))
    assert list(object_numbers(table)) == [1, 1, 2]
    assert object_numbers(table).dtype == np.int64

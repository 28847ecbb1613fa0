"""Tables follow the schema through files and back."""

import numpy as np
import pandas as pd
import pytest
from astropy.io.votable import parse_single_table
from hypothesis import given, settings
from hypothesis import strategies as st

from racs_transients import schema, tables
from racs_transients.errors import SchemaError
from racs_transients.schema import Column

COLUMNS = (
    Column("flux", "float", "mJy", "phot.flux.density", "A flux"),
    Column("number", "int", "", "meta.id", "A number"),
    Column("words", "str", "", "meta.note", "Words"),
    Column("yes", "bool", "", "meta.code", "Yes or no"),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


def test_an_empty_table_has_its_columns_and_types():
    table = tables.empty(schema.CROSSMATCHES)
    assert list(table) == [c.name for c in schema.CROSSMATCHES]
    assert len(table) == 0
    assert table["ratio"].dtype == "float64"
    assert table["is_candidate"].dtype == "bool"


def test_absent_columns_are_missing_values():
    table = tables.conform(pd.DataFrame({"flux": [1.5, 2.5]}), COLUMNS)
    assert table["number"].isna().all()
    assert table["words"].isna().all()
    assert not table["yes"].any()


def test_a_column_that_is_not_stated_is_refused():
    with pytest.raises(SchemaError, match="fluks"):
        tables.conform(pd.DataFrame({"fluks": [1.0]}), COLUMNS)


def test_words_in_a_column_of_numbers_are_refused():
    with pytest.raises(SchemaError, match="flux"):
        tables.conform(pd.DataFrame({"flux": ["bright"]}), COLUMNS)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(allow_infinity=False), st.none() | st.integers(-(2**60), 2**60), TEXT, st.booleans()))
)
def test_csv_gives_back_every_digit(tmp_path_factory, rows):
    table = tables.conform(pd.DataFrame(rows, columns=["flux", "number", "words", "yes"]), COLUMNS)
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    tables.write_csv(table, path)
    pd.testing.assert_frame_equal(tables.read_csv(path, COLUMNS), table, check_exact=True)


def test_a_file_without_a_column_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("flux,number,words\n1,2,a\n")
    with pytest.raises(SchemaError, match="yes"):
        tables.read_csv(tmp_path / "t.csv", COLUMNS)


@pytest.mark.parametrize("rows", [0, 3])
def test_votable_carries_units_ucds_and_descriptions(tmp_path, rows):
    values = {"flux": [1.5, np.nan, -2], "number": [1, None, 3], "words": ["a", None, "ß"], "yes": [True, False, True]}
    table = tables.conform(pd.DataFrame(values).iloc[:rows], COLUMNS)
    tables.write_votable(table, COLUMNS, tmp_path / "t.vot")
    found = parse_single_table(tmp_path / "t.vot")
    field = found.get_field_by_id_or_name("flux")
    assert (str(field.unit), field.ucd, field.description) == ("mJy", "phot.flux.density", "A flux")
    assert len(found.array) == rows
    if rows:
        assert found.array["number"].mask.tolist() == [False, True, False]


def test_every_unit_and_ucd_of_the_schema_is_valid():
    from astropy import units as u
    from astropy.io.votable.ucd import check_ucd

    for column in (*schema.SOURCES, *schema.REFERENCES, *schema.CROSSMATCHES):
        u.Unit(column.unit, format="vounit")
        assert check_ucd(column.ucd, check_controlled_vocabulary=True, has_colon=True), column
        assert column.description


def test_no_column_is_stated_twice():
    for columns in (schema.SOURCES, schema.REFERENCES, schema.CROSSMATCHES):
        names = [c.name for c in columns]
        assert len(names) == len(set(names))

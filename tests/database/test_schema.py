"""The models of the site and the schema of the pipeline say the same."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.db import models

from racs_transients import schema
from web_server.candidates.models import Crossmatch, Image, Run, SurveyRun

TYPES = {
    "float": models.FloatField,
    "int": models.BigIntegerField,
    "str": models.TextField,
    "bool": models.BooleanField,
}
TABLES = [
    (Image, schema.IMAGES),
    (Run, schema.RUNS),
    (SurveyRun, schema.SURVEY_RUNS),
    (Crossmatch, schema.CROSSMATCHES),
]
COLUMNS = [(model, column) for model, columns in TABLES for column in columns]


@pytest.mark.parametrize(
    ("model", "column"), COLUMNS, ids=lambda value: getattr(value, "name", value.__class__.__name__)
)
def test_each_column_of_the_schema_is_a_field_with_its_type_and_description(model, column):
    field = model._meta.get_field(column.name)
    assert isinstance(field, TYPES[column.dtype])
    assert column.description in field.help_text
    assert column.unit in field.help_text
    assert field.null or field.has_db_default()


def test_the_crossmatch_has_no_other_fields_than_those_of_the_schema_and_its_keys():
    names = {field.name for field in Crossmatch._meta.concrete_fields}
    assert names - {column.name for column in schema.CROSSMATCHES} == {"id", "run", "survey_run", "sky_object"}


@pytest.mark.django_db
def test_the_migrations_are_complete():
    call_command("makemigrations", "--check", "--dry-run", stdout=io.StringIO())


def test_wording_makes_no_migration():
    field = Crossmatch._meta.get_field("ratio")
    _, path, _, keywords = field.deconstruct()
    assert path == "django.db.models.FloatField"
    assert "help_text" not in keywords

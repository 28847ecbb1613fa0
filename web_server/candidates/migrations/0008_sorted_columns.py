"""Indexes in the order of the lists: plain ones, which serve both directions.

On SQLite the default order alone: a database of one person is small. On PostgreSQL each column that a list is sorted by,
and parts of names where its extension pg_trgm may be made; where it may not, names are searched more slowly.
"""

from django.db import DatabaseError, migrations, transaction

_COLUMNS = (
    *("name", "ra", "type", "survey", "flag", "vs", "m", "askap_flux", "ref_flux", "gal_l", "gal_b"),
    *("separation", "askap_snr", "predicted_snr", "distance_from_centre"),
)
# What counts and filters of a run's list read; the index holds it, because a row has some 130 columns.
_INCLUDED = (
    "sky_object_id, type, survey, flag, flag_bits, is_candidate, vs, vs_abs, m, m_abs, ra, dec, gal_l, gal_b, "
    "askap_flux, ref_flux, separation, askap_nn_separation, askap_snr, predicted_snr, "
    "distance_from_centre, name"
)
_TRIGRAMS = "crossmatch_name_parts"
_ORDER = {"postgresql": "ratio DESC NULLS LAST", "sqlite": "ratio DESC"}


def _make(schema_editor, ratio):
    postgresql = schema_editor.connection.vendor == "postgresql"
    included = f" INCLUDE ({_INCLUDED})" if postgresql else ""
    for name, columns in (
        ("crossmatch_by_ratio", f"{ratio}, id"),
        ("crossmatch_of_run_by_ratio", f"run_id, {ratio}, id"),
    ):
        schema_editor.execute(f"DROP INDEX {name}")
        held = included if "run_id" in columns else ""
        schema_editor.execute(f"CREATE INDEX {name} ON candidates_crossmatch ({columns}){held}")


def _make_trigrams(schema_editor):
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        return
    # as Django asks for a part of a name
    schema_editor.execute(f"CREATE INDEX {_TRIGRAMS} ON candidates_crossmatch USING gin (upper(name) gin_trgm_ops)")


def forwards(apps, schema_editor):
    _make(schema_editor, "ratio")
    if schema_editor.connection.vendor == "postgresql":
        for name in _COLUMNS:
            schema_editor.execute(f"CREATE INDEX crossmatch_by_{name} ON candidates_crossmatch ({name}, id)")
        _make_trigrams(schema_editor)


def backwards(apps, schema_editor):
    _make(schema_editor, _ORDER[schema_editor.connection.vendor])
    if schema_editor.connection.vendor == "postgresql":
        for name in (*(f"crossmatch_by_{name}" for name in _COLUMNS), _TRIGRAMS):
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = (("candidates", "0007_candidates_of_run"),)
    operations = (migrations.RunPython(forwards, backwards),)

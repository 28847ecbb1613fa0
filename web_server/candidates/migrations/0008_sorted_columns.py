"""Indexes in the order of the lists: plain ones, which serve both directions.

On SQLite the default order alone: a database of one person is small. On PostgreSQL each column that a list is sorted by.
"""

from django.db import migrations

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


def forwards(apps, schema_editor):
    _make(schema_editor, "ratio")
    if schema_editor.connection.vendor == "postgresql":
        for name in _COLUMNS:
            schema_editor.execute(f"CREATE INDEX crossmatch_by_{name} ON candidates_crossmatch ({name}, id)")


def backwards(apps, schema_editor):
    _make(schema_editor, _ORDER[schema_editor.connection.vendor])
    if schema_editor.connection.vendor == "postgresql":
        for name in _COLUMNS:
            schema_editor.execute(f"DROP INDEX crossmatch_by_{name}")


class Migration(migrations.Migration):
    dependencies = (("candidates", "0007_candidates_of_run"),)
    operations = (migrations.RunPython(forwards, backwards),)

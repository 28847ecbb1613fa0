"""Indexes in the order of the lists: largest ratio first, missing ones last.

SQLite and PostgreSQL spell that differently; Django's own indexes know only one way.
"""

from django.db import migrations

_ORDER = {"postgresql": "ratio DESC NULLS LAST", "sqlite": "ratio DESC"}
_INDEXES = {"crossmatch_by_ratio": "{order}, id", "crossmatch_of_run_by_ratio": "run_id, {order}, id"}


def forwards(apps, schema_editor):
    order = _ORDER[schema_editor.connection.vendor]
    for name, columns in _INDEXES.items():
        schema_editor.execute(f"CREATE INDEX {name} ON candidates_crossmatch ({columns.format(order=order)})")


def backwards(apps, schema_editor):
    for name in _INDEXES:
        schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("candidates", "0004_counts")]
    operations = [
        migrations.RemoveIndex("crossmatch", "crossmatch_ratio"),
        migrations.RemoveField("surveyrun", "flags"),
        migrations.RunPython(forwards, backwards),
    ]

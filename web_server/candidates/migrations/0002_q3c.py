"""Q3C and its indexes where PostgreSQL allows them; the site works without."""

import sys

from django.db import migrations

from web_server.candidates.q3c import drop_indexes, make_indexes


def forwards(apps, schema_editor):
    problem = make_indexes(schema_editor.connection)
    if problem:
        sys.stderr.write(problem + "\n")


def backwards(apps, schema_editor):
    drop_indexes(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("candidates", "0001_tables")]
    operations = [migrations.RunPython(forwards, backwards)]

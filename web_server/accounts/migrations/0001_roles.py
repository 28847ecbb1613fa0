"""The groups of the four roles."""

from django.db import migrations

from web_server.accounts.roles import ROLES


def make(apps, schema_editor):
    group = apps.get_model("auth", "Group")
    for role in ROLES:
        group.objects.using(schema_editor.connection.alias).get_or_create(name=role)


class Migration(migrations.Migration):
    dependencies = (("auth", "0012_alter_user_first_name_max_length"),)
    operations = (migrations.RunPython(make, migrations.RunPython.noop),)

"""The documented labels."""

from django.db import migrations

from web_server.review.labels import LABELS


def seed(apps, schema_editor):
    label = apps.get_model("review", "Label")
    label.objects.using(schema_editor.connection.alias).bulk_create(
        label(
            group=seed.group, words=seed.words, key=seed.key, tag=seed.tag, reason=seed.reason,
            lead_only=seed.lead_only, position=position,
        )
        for position, seed in enumerate(LABELS, start=1)
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = (("review", "0001_initial"),)
    operations = (migrations.RunPython(seed, migrations.RunPython.noop),)

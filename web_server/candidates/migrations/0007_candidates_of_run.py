"""The index of the candidates holds what the progress of a review asks for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("candidates", "0006_covering")]
    operations = [
        migrations.RemoveIndex("crossmatch", "crossmatch_candidates"),
        migrations.AddIndex(
            "crossmatch",
            models.Index(
                condition=models.Q(("is_candidate", True)),
                fields=["run", "sky_object", "survey"],
                name="candidates_of_run",
            ),
        ),
    ]

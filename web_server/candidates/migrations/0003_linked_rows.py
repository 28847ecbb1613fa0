from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("candidates", "0002_q3c")]

    operations = [
        migrations.AddField(
            model_name="crossmatch", name="object_id", field=models.BigIntegerField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="crossmatch", name="native_source_id", field=models.BigIntegerField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="crossmatch", name="native_name", field=models.TextField(blank=True, db_default="")
        ),
        migrations.AddField(
            model_name="crossmatch", name="rescued", field=models.BooleanField(blank=True, db_default=False)
        ),
    ]

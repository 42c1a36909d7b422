"""A delivery names the attachments that came with its document."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0001_initial")]
    operations = [migrations.AddField("delivery", "files", models.JSONField(default=list))]

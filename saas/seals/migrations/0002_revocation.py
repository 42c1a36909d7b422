"""A seal's certificate can be revoked, and is found by its serial number."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("seals", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="seal",
            name="certificate_serial",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(model_name="seal", name="revoked_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="seal", name="revoked_reason", field=models.CharField(blank=True, default="", max_length=200)
        ),
        migrations.AddField(model_name="seal", name="listed_at", field=models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="seal",
            name="state",
            field=models.CharField(
                choices=[
                    ("requested", "制作中"),
                    ("active", "启用"),
                    ("stopped", "已停用"),
                    ("revoked", "证书已吊销"),
                ],
                default="requested",
                max_length=10,
            ),
        ),
    ]

"""A bureau can ask which files are on their way to it."""

from django.db import migrations

from saas.exchange.spool import sql


class Migration(migrations.Migration):
    dependencies = [("spool", "0002_manifest_leaves")]
    operations = [migrations.RunSQL(sql.WAITING, migrations.RunSQL.noop)]

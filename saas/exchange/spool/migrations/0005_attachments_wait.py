"""A package names several files: the document and its attachments."""

from django.db import migrations

from saas.exchange.spool import sql


class Migration(migrations.Migration):
    dependencies = [("spool", "0004_own_ids")]
    operations = [migrations.RunSQL(sql.WAITING, migrations.RunSQL.noop)]

"""A package that was taken leaves no text of a bureau in the schema all bureaus share."""

from django.db import migrations

from saas.exchange.spool import sql

FORGET = "UPDATE cell.exchange_spool SET manifest = '' WHERE taken_at IS NOT NULL"


class Migration(migrations.Migration):
    dependencies = [("spool", "0001_spool")]
    operations = [migrations.RunSQL([sql.TAKEN, FORGET], migrations.RunSQL.noop)]

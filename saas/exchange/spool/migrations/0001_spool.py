"""The spool of packages between the bureaus of a cell."""

from django.db import migrations

from saas.exchange.spool import sql


class Migration(migrations.Migration):
    initial = True
    dependencies = [("cell", "0001_jobs"), ("tenants", "0001_registry")]
    operations = [migrations.RunSQL(sql.install(), migrations.RunSQL.noop)]

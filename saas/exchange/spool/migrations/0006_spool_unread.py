"""Takes the spool itself from the login of web and job processes: it is reached through its functions alone."""

from django.db import migrations

from saas.core.cell.sql import app_role

SQL = f'REVOKE ALL ON cell.exchange_spool FROM "{app_role()}"'


class Migration(migrations.Migration):
    dependencies = [("spool", "0005_attachments_wait")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]

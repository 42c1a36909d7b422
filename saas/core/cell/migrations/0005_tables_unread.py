"""Takes from the login of web and job processes what default privileges let it read of all bureaus at once."""

from django.db import migrations

from saas.core.cell.sql import app_role

SQL = (
    f'REVOKE ALL ON cell.audit_pending, cell.audit_unsigned, cell.calendar_year, cell.calendar_day FROM "{app_role()}"'
)


class Migration(migrations.Migration):
    dependencies = [("cell", "0004_calendar")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]

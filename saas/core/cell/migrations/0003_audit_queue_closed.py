"""Takes the sealer's queue from management's processes, to which default privileges had given it with all else."""

from django.db import migrations

from saas.core.cell.sql import app_role

SQL = f'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON cell.audit_pending, cell.audit_unsigned FROM "{app_role()}"'


class Migration(migrations.Migration):
    dependencies = [("cell", "0002_audit_pending")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]

"""Schema ``cell``: jobs, and the functions through which a bureau's role may ask for one."""

from django.db import migrations

from saas.core.cell import sql


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(sql.install(), migrations.RunSQL.noop)]

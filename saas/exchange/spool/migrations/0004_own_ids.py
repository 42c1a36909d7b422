"""Each sender's package ids are its own: no bureau can squat on another's receipt."""

from django.db import migrations

from saas.exchange.spool import sql


class Migration(migrations.Migration):
    dependencies = [("spool", "0003_waiting")]
    operations = [migrations.RunSQL(sql.OWN_IDS, migrations.RunSQL.noop)]

"""The cache's table: unlogged, since losing it in a crash costs a slower request and no fact."""

from django.db import migrations


class Migration(migrations.Migration):
    """Makes `core_cache` in the tenant's schema."""

    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            """
            CREATE UNLOGGED TABLE IF NOT EXISTS core_cache (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamptz NOT NULL
            );
            """,
            "DROP TABLE IF EXISTS core_cache;",
        ),
    ]

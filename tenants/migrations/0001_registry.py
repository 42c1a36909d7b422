"""The registry, and the notice that drops every process's cached look-up when it changes."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

NOTICE = """
CREATE FUNCTION tenants_notice() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN PERFORM pg_notify('tenants_registry', ''); RETURN NULL; END $$;
-- Not for the migration runner's own columns: it writes every row in turn.
CREATE TRIGGER tenants_bureau_notice AFTER INSERT OR DELETE OR UPDATE OF code, name, state, schema_name ON tenants_bureau
  FOR EACH STATEMENT EXECUTE FUNCTION tenants_notice();
CREATE TRIGGER tenants_hostname_notice AFTER INSERT OR UPDATE OR DELETE ON tenants_hostname
  FOR EACH STATEMENT EXECUTE FUNCTION tenants_notice();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Bureau",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=31, unique=True)),
                ("name", models.CharField(max_length=100)),
                ("short_name", models.CharField(blank=True, max_length=50)),
                ("division_code", models.CharField(max_length=6)),
                (
                    "level",
                    models.CharField(
                        max_length=10,
                        choices=[("province", "省级"), ("city", "市级"), ("county", "县级"), ("town", "乡级")],
                    ),
                ),
                ("parent_code", models.CharField(blank=True, max_length=31)),
                (
                    "state",
                    models.CharField(
                        default="creating",
                        max_length=10,
                        choices=[
                            ("creating", "开通中"),
                            ("active", "正常"),
                            ("suspended", "已停用"),
                            ("closing", "注销中"),
                        ],
                    ),
                ),
                ("plan", models.CharField(blank=True, max_length=30)),
                ("schema_name", models.CharField(max_length=14, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("migrated_to", models.CharField(blank=True, max_length=64)),
                ("migrated_at", models.DateTimeField(null=True)),
                ("migration_error", models.TextField(blank=True)),
            ],
            options={"ordering": ["code"]},
        ),
        migrations.CreateModel(
            name="HostName",
            fields=[
                ("host", models.CharField(max_length=253, primary_key=True, serialize=False)),
                (
                    "bureau",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="host_names", to="tenants.bureau"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AppliedCommand",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField()),
                ("kind", models.CharField(max_length=20)),
                ("result", models.JSONField(default=dict)),
                ("error", models.TextField(blank=True)),
                ("applied_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="SchemaScript",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("statements", models.TextField()),
                ("migrations", models.JSONField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.RunSQL(NOTICE, migrations.RunSQL.noop),
    ]

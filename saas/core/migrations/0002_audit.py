"""The audit trail: records that bureaus insert, links and heads that only the sealer (the owner) writes."""

from django.conf import settings
from django.db import migrations, models

import saas.core.audit.identifiers
from saas.env import Zone

PROTECT = """
CREATE OR REPLACE TRIGGER note_audit AFTER INSERT ON audit_record
  FOR EACH ROW EXECUTE FUNCTION cell.note_audit();
SELECT cell.make_append_only('audit_record');
SELECT cell.make_append_only('audit_link', 'owner');
SELECT cell.make_append_only('audit_head', 'owner');
"""
# In a cell, schema `cell` is made before any bureau's; in management one run makes both.
CELL_FIRST = [("cell", "0002_audit_pending")] if settings.ZONE is Zone.MANAGEMENT else []


class Migration(migrations.Migration):
    dependencies = [("core", "0001_cache"), *CELL_FIRST]
    operations = [
        migrations.CreateModel(
            name="AuditRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=saas.core.audit.identifiers.ordered_uuid,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("event", models.CharField(max_length=60)),
                ("urgent", models.BooleanField(default=False)),
                ("user_id", models.UUIDField(null=True)),
                ("user_name", models.TextField(default="")),
                ("person_id", models.UUIDField(null=True)),
                ("appointment_id", models.UUIDField(null=True)),
                ("post_id", models.UUIDField(null=True)),
                ("post_name", models.TextField(default="")),
                ("unit_id", models.UUIDField(null=True)),
                ("unit_name", models.TextField(default="")),
                ("on_behalf_of", models.TextField(default="")),
                ("ip", models.TextField(default="")),
                ("request_id", models.TextField(default="")),
                ("target_kind", models.CharField(default="", max_length=60)),
                ("target_id", models.TextField(default="")),
                ("target_label", models.TextField(default="")),
                ("detail", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "audit_record",
                "indexes": [models.Index(fields=["user_id", "-id"], name="audit_record_user")],
            },
        ),
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("record_id", models.UUIDField(unique=True)),
                ("algorithm", models.CharField(max_length=30)),
                ("digest", models.BinaryField()),
            ],
            options={"db_table": "audit_link"},
        ),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("digest", models.BinaryField()),
                ("signed_at", models.DateTimeField()),
                ("algorithm", models.CharField(max_length=30)),
                ("key_name", models.CharField(max_length=60)),
                ("key_version", models.IntegerField()),
                ("signature", models.BinaryField()),
            ],
            options={"db_table": "audit_head"},
        ),
        migrations.RunSQL(PROTECT, migrations.RunSQL.noop),
    ]

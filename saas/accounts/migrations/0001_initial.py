"""Accounts and role grants."""

import uuid

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("username", models.CharField(max_length=64, verbose_name="用户名")),
                ("name", models.CharField(max_length=64, verbose_name="姓名")),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
                ("administrator", models.BooleanField(default=False)),
                ("must_change_password", models.BooleanField(default=False)),
                ("second_factor_required", models.BooleanField(default=False)),
                ("failed_count", models.PositiveSmallIntegerField(default=0)),
                ("locked_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("password_changed_at", models.DateTimeField(null=True)),
                ("last_seen", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("username",), name="accounts_user_username"),
                    models.UniqueConstraint(fields=("id", "administrator"), name="accounts_user_kind"),
                    models.CheckConstraint(
                        condition=models.Q(("username", django.db.models.functions.text.Lower("username"))),
                        name="accounts_user_lower",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RoleGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(max_length=32)),
                ("exclusive", models.BooleanField()),
                ("granted_by_name", models.CharField(max_length=64)),
                ("granted_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "granted_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "role"), name="accounts_grant_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("exclusive", True)), fields=("user",), name="accounts_grant_exclusive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "exclusive",
                                models.Q(
                                    (
                                        "role__in",
                                        [
                                            "audit_admin",
                                            "operations",
                                            "platform_auditor",
                                            "security_admin",
                                            "security_officer",
                                            "system_admin",
                                        ],
                                    )
                                ),
                            )
                        ),
                        name="accounts_grant_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("granted_by__isnull", True),
                            models.Q(("granted_by", models.F("user")), _negated=True),
                            _connector="OR",
                        ),
                        name="accounts_grant_not_self",
                    ),
                ],
            },
        ),
        # A grant joins only an account of its own kind: an exclusive administrator role and an office role can
        # never meet in one account, whatever runs at the same time.
        migrations.RunSQL(
            """
            ALTER TABLE accounts_rolegrant DROP CONSTRAINT IF EXISTS accounts_grant_same_kind;
            ALTER TABLE accounts_rolegrant ADD CONSTRAINT accounts_grant_same_kind
                FOREIGN KEY (user_id, exclusive) REFERENCES accounts_user (id, administrator);
            """,
            "ALTER TABLE accounts_rolegrant DROP CONSTRAINT IF EXISTS accounts_grant_same_kind;",
        ),
    ]

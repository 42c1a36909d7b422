"""The cell's registry: which bureaus it serves, at which hosts, and what its agent has done."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from saas.core.tenancy import TenantRef


class State(models.TextChoices):
    """Where a bureau is in its life."""

    CREATING = "creating", _("开通中")
    ACTIVE = "active", _("正常")
    SUSPENDED = "suspended", _("已停用")
    CLOSING = "closing", _("注销中")


class Level(models.TextChoices):
    """The administrative level a bureau belongs to."""

    PROVINCE = "province", _("省级")
    CITY = "city", _("市级")
    COUNTY = "county", _("县级")
    TOWN = "town", _("乡级")


class Bureau(models.Model):
    """A bureau this cell serves. Its schema and database role share one opaque name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    code = models.CharField(max_length=31, unique=True)
    name = models.CharField(max_length=100)
    short_name = models.CharField(max_length=50, blank=True)
    division_code = models.CharField(max_length=6)
    level = models.CharField(max_length=10, choices=Level.choices)
    parent_code = models.CharField(max_length=31, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CREATING)
    plan = models.CharField(max_length=30, blank=True)
    schema_name = models.CharField(max_length=14, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # What the migration runner last did here: digest of the plan the schema stands at, and why it stopped.
    migrated_to = models.CharField(max_length=64, blank=True)
    migrated_at = models.DateTimeField(null=True)
    migration_error = models.TextField(blank=True)
    # What the bureau has chosen for its own pages (`tenants.appearance`).
    shown_name = models.CharField(max_length=30, blank=True, default="")
    emblem = models.CharField(max_length=2, blank=True, default="")
    theme = models.CharField(max_length=10, blank=True, default="")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code

    @property
    def ref(self) -> TenantRef:
        """The bureau as the layers below know it."""
        return TenantRef(id=self.id, schema=self.schema_name, code=self.code, name=self.name)


class HostName(models.Model):
    """A host name (lower case, no port) that leads to a bureau."""

    host = models.CharField(max_length=253, primary_key=True)
    bureau = models.ForeignKey(Bureau, on_delete=models.CASCADE, related_name="host_names")

    def __str__(self) -> str:
        return self.host


class AppliedCommand(models.Model):
    """A command of management this cell has carried out: it is never carried out twice."""

    id = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    applied_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class SchemaScript(models.Model):
    """All migrations of a bureau's schema as one SQL text, made once per content of the migration files."""

    digest = models.CharField(max_length=64, primary_key=True)
    statements = models.TextField()
    migrations = models.JSONField()
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.digest

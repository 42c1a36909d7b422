"""Seals, who may use them, and every impression ever made."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from saas.core.keys.algorithms import SealKeyKind


class SealState(models.TextChoices):
    """From the request to the end of a seal."""

    REQUESTED = "requested", _("制作中")
    ACTIVE = "active", _("启用")
    STOPPED = "stopped", _("已停用")
    REVOKED = "revoked", _("证书已吊销")


class Seal(models.Model):
    """An electronic seal (电子印章): a picture, a key in Vault, a certificate."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=30)
    caption = models.CharField(max_length=10, blank=True)
    diameter_mm = models.DecimalField(max_digits=4, decimal_places=1, default=42)
    number = models.PositiveIntegerField(unique=True)
    key_kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in SealKeyKind])
    certificate = models.TextField(blank=True)
    chain = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=SealState.choices, default=SealState.REQUESTED)
    created_at = models.DateTimeField(auto_now_add=True)
    stopped_at = models.DateTimeField(null=True)
    stopped_reason = models.CharField(max_length=200, blank=True)
    certificate_serial = models.CharField(max_length=64, blank=True, default="")
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=200, blank=True, default="")
    # When the authority's list named it.
    listed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return self.name


class SealHolder(models.Model):
    """A post that may use a seal; whoever holds the post uses it (保管人随岗位)."""

    id = models.BigAutoField(primary_key=True)
    seal = models.ForeignKey(Seal, on_delete=models.CASCADE, related_name="holders", db_index=False)
    post_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seal", "post_id"], name="seals_holder_once")]


class Impression(models.Model):
    """One use of a seal. Never changed: a trigger refuses it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, related_name="impressions")
    subject_kind = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    subject_label = models.CharField(max_length=300)
    field_name = models.CharField(max_length=40)
    size_before = models.PositiveIntegerField()
    digest_before = models.CharField(max_length=64)
    digest_after = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=24)
    certificate_serial = models.CharField(max_length=64)
    person_name = models.CharField(max_length=50)
    person_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    post_name = models.CharField(max_length=100)
    audit_record = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["subject_kind", "subject_id", "field_name"], name="seals_impression_once")
        ]

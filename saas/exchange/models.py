"""What this bureau sent to others and what others sent to it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class DispatchState(models.TextChoices):
    """How far a copy sent to one bureau has come."""

    SENDING = "sending", _("发送中")
    SENT = "sent", _("已送达，待签收")
    SIGNED_FOR = "signed_for", _("已签收")
    RETURNED = "returned", _("已退文")
    FAILED = "failed", _("未送达")


class Dispatch(models.Model):
    """One document on its way to one bureau. Its id is the package's id, the same on both sides."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document_id = models.UUIDField()
    to_code = models.CharField(max_length=31)
    to_name = models.CharField(max_length=100)
    state = models.CharField(max_length=12, choices=DispatchState.choices, default=DispatchState.SENDING)
    asked_by = models.CharField(max_length=160)
    asked_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=160, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["to_code"]
        constraints = [models.UniqueConstraint(fields=["document_id", "to_code"], name="exchange_sent_once")]

    @property
    def may_go_again(self) -> bool:
        """Whether it came back or never arrived, so that it can be sent again."""
        return self.state in {DispatchState.FAILED, DispatchState.RETURNED}


class DeliveryState(models.TextChoices):
    """What became of a document that arrived."""

    WAITING = "waiting", _("待签收")
    SIGNED_FOR = "signed_for", _("已签收")
    RETURNED = "returned", _("已退文")


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """An attachment that came with a document.

    Attributes:
        name: what the sender calls it.
        object_name: where it lies among this bureau's own files.
        sha256: its digest (hex), as signed by the sender and found here.
        size: in bytes.
        content_type: its media type as the sender found it.
    """

    name: str
    object_name: str
    sha256: str
    size: int
    content_type: str

    def as_json(self) -> dict[str, Any]:
        """As stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DeliveredFile:
        """From what `as_json` stored."""
        return cls(**stored)


class Delivery(models.Model):
    """One document that arrived from another bureau. Its id is the package's id; `files` are its attachments."""

    id = models.UUIDField(primary_key=True, editable=False)
    from_code = models.CharField(max_length=31)
    from_name = models.CharField(max_length=100)
    number = models.CharField(max_length=60)
    title = models.CharField(max_length=500)
    kind = models.CharField(max_length=20)
    urgency = models.CharField(max_length=12, blank=True)
    manifest = models.JSONField()
    object_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    files = models.JSONField(default=list)
    state = models.CharField(max_length=12, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    sent_at = models.DateTimeField()
    arrived_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=160, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    document_id = models.UUIDField(null=True)

    class Meta:
        ordering = ["-arrived_at"]
        indexes = [models.Index(fields=["state", "-arrived_at"], name="exchange_waiting")]

    @property
    def attachments(self) -> tuple[DeliveredFile, ...]:
        """Its attachments as values, in the sender's order."""
        return tuple(DeliveredFile.from_json(file) for file in self.files)

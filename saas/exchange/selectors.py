"""Reads what was sent and what arrived."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from saas.exchange.models import Delivery, DeliveryState, Dispatch


def dispatches_of(document_id: UUID) -> QuerySet[Dispatch]:
    """Where a document was sent and how far each copy has come."""
    return Dispatch.objects.filter(document_id=document_id)


def deliveries(*, waiting: bool) -> QuerySet[Delivery]:
    """Documents that arrived: those waiting for 签收, or those answered."""
    found = Delivery.objects.order_by("-arrived_at").defer("manifest")
    return found.filter(state=DeliveryState.WAITING) if waiting else found.exclude(state=DeliveryState.WAITING)


def attached_objects(names: Collection[str]) -> set[str]:
    """Which of these files are attachments of documents that arrived; asked once a day."""
    kept = Delivery.objects.exclude(files=[]).values_list("files", flat=True).iterator()
    return {file["object_name"] for files in kept for file in files}.intersection(names)

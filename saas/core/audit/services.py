"""Writes audit records in the transaction of the act they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from saas.core.actors import Actor
from saas.core.audit.events import Event

Detail = Mapping[str, str | int | bool | None | list[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """What an act was done to: kind (``document``), id and the label a reader knows it by."""

    kind: str
    id: UUID | str
    label: str = ""


def record(event: Event, *, by: Actor, target: Target | None = None, detail: Detail | None = None) -> UUID:
    """Insert one record into the current tenant's trail; the caller's transaction decides whether it stays.

    Returns:
        the record's id (UUID).
    """
    raise NotImplementedError

"""Which acts wait for their record's signed head, so their heads are signed at once and not by the minute."""

from __future__ import annotations

from saas.core.audit.events import Event

URGENT = frozenset(
    {Event.SEAL_STAMPING, Event.SEAL_REVOKED, Event.KEYS_CREATED, Event.KEYS_DESTROYED, Event.FILE_DAMAGED}
)


def is_urgent(event: Event) -> bool:
    """Whether the sealer signs this record's head at once."""
    return event in URGENT

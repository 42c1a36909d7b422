"""What waits for the clerk: documents signed off without a number, and numbered ones without a seal."""

from __future__ import annotations

from saas.core.access import Permission
from saas.core.figures import Figure, register
from saas.documents.kinds import State

TO_NUMBER = (State.SIGNED_OFF,)
TO_SEAL = (State.NUMBERED, State.RENDERED)
NUMBER_FIGURE, SEAL_FIGURE = "to-number", "to-seal"
# The condition is that of the partial index documents_document_waiting.
_WAITING = (
    "SELECT count(*) FROM documents_document WHERE state IN ('signed_off', 'numbered', 'rendered')"
    " AND direction = 'outgoing'"
)


def register_figures() -> None:
    """Have both counted for clerks."""
    register(Figure(NUMBER_FIGURE, Permission.KEEP_NUMBERS, f"{_WAITING} AND state = 'signed_off'"))
    register(Figure(SEAL_FIGURE, Permission.KEEP_NUMBERS, f"{_WAITING} AND state <> 'signed_off'"))

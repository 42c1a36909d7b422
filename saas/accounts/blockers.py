"""Upper layers say here why an account cannot be disabled yet, e.g. because it still holds open tasks."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

_blockers: list[Callable[[UUID], list[str]]] = []


def register(blocker: Callable[[UUID], list[str]]) -> None:
    """Add a function that names the reasons, in the user's language, why a user id cannot be disabled."""
    if blocker not in _blockers:
        _blockers.append(blocker)


def reasons(user_id: UUID) -> list[str]:
    """Every registered reason against disabling `user_id`; empty when there is none."""
    return [reason for blocker in _blockers for reason in blocker(user_id)]

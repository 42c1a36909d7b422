"""What the engine must be told about the world; everything else it decides itself."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from saas.approvals.definition import Limit, Rule
from saas.approvals.engine.state import Assignee, State


class Facts(Protocol):
    """Answers about organisation and calendar, the same for the same question within one step."""

    def assignees(self, rule: Rule, state: State) -> tuple[Assignee, ...]:
        """Whom a rule names now, in order (CHOSEN and SAME_AS are answered by the engine itself)."""

    def know(self, assignees: tuple[Assignee, ...]) -> None:
        """Their holders will be asked for: a chance to look all of them up at once."""

    def holders(self, assignee: Assignee) -> frozenset[UUID]:
        """The persons who hold the post or belong to the unit today; empty when vacant."""

    def leader_above(self, post: UUID) -> Assignee | None:
        """The post of the leader over a post, for a drafter who would approve alone."""

    def due(self, limit: Limit, *, since: datetime, urgency: int) -> datetime | None:
        """When the time to act ends; None without a limit."""

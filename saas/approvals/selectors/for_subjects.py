"""What the modules whose subjects travel through flows may ask of them; the tables themselves stay in this app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from saas.approvals.definition import Flow
from saas.approvals.engine.state import Status, Vote
from saas.approvals.models import ASKED, FlowVersion, Instance, ReadItem, Task, VersionState
from saas.approvals.store import definition, definitions


@dataclass(frozen=True, slots=True)
class FlowStanding:
    """Where a flow stands."""

    id: UUID
    status: Status
    changed_at: datetime


def flow_standing(instance_id: UUID) -> FlowStanding | None:
    """Where one flow stands, None when there is no such flow. One query."""
    row = Instance.objects.filter(id=instance_id).values_list("id", "status", "changed_at").first()
    return None if row is None else FlowStanding(row[0], Status(row[1]), row[2])


def instances_met_by(*, groups: Sequence[UUID], person_id: UUID | None) -> tuple[QuerySet[Task], QuerySet[ReadItem]]:
    """Ids of the flows somebody was asked in, and of those somebody was given to read; for use in a subquery.

    Args:
        groups: posts and units read as; open tasks may name them.
        person_id: who may have acted, or been given it by name.

    Returns:
        two querysets of one column, the instance's id.
    """
    asked = Task.objects.filter(
        Q(state__in=ASKED, assignee_id__in=groups) | Q(done_by=person_id, done_by__isnull=False)
    )
    given = ReadItem.objects.filter(Q(person_id=person_id, person_id__isnull=False) | Q(post_id__in=groups))
    # `values` narrows to the column; the rows' type does not matter to a subquery.
    return asked.values("instance_id"), given.values("instance_id")  # type: ignore[return-value]


def lock_flow(instance_id: UUID) -> None:
    """Hold the flow until the transaction ends, as its own acts do, before the subject is locked."""
    Instance.objects.select_for_update(no_key=True).filter(id=instance_id).values_list("id", flat=True).first()


def flows_offered(fits: Callable[[str, Flow], bool]) -> list[tuple[str, str]]:
    """Key and name of the published flows whose key and definition fit, in their order. One query, at first two."""
    versions = FlowVersion.objects.filter(state=VersionState.PUBLISHED).order_by("flow__position")
    rows = list(versions.values_list("id", "flow__key", "flow__name"))
    known = definitions([row[0] for row in rows])
    return [(key, name) for version_id, key, name in rows if fits(key, known[version_id])]


def flow_offered(key: str, fits: Callable[[str, Flow], bool]) -> bool:
    """Whether a flow of that key is published and fits."""
    published = FlowVersion.objects.filter(flow__key=key, state=VersionState.PUBLISHED)
    version_id = published.values_list("id", flat=True).first()
    return version_id is not None and fits(key, definition(version_id))


def agreed_at(*, instance_id: UUID, node: str, person_id: UUID | None) -> bool:
    """Whether this person's own agreement stands in the latest round of a node."""
    tasks = Task.objects.filter(instance_id=instance_id, node=node)
    latest = tasks.order_by("-round").values("round")[:1]
    return person_id is not None and tasks.filter(round=latest, vote=Vote.AGREE, done_by=person_id).exists()

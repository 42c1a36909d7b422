"""Who may act on a task: whoever holds its post today, or stands in for them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from saas.approvals.engine.state import AssigneeKind, Task
from saas.approvals.models import Delegation, DelegationState
from saas.core.actors import Actor
from saas.organisation.models import Appointment, today


def accepted_delegations(person_id: UUID) -> list[tuple[UUID, str]]:
    """For whom a person acts today: giver and flow key (empty for all flows). One query."""
    day = today()
    return list(
        Delegation.objects.filter(
            stand_in_id=person_id, state=DelegationState.ACCEPTED, starts__lte=day, ends__gte=day
        ).values_list("giver_id", "flow_key")
    )


def seat(task: Task, *, flow_key: str, by: Actor) -> Actor | None:
    """`by` in the post the task asks for, or None when `by` may not act on it. One query.

    Somebody who stands in acts in the giver's post, with `on_behalf_of` the giver.
    """
    if by.person_id is None:
        return None
    day = today()
    givers = Delegation.objects.filter(
        Q(flow_key="") | Q(flow_key=flow_key),
        stand_in_id=by.person_id,
        state=DelegationState.ACCEPTED,
        starts__lte=day,
        ends__gte=day,
    ).values("giver_id")
    asked = task.assignee
    place = Q(post_id=asked.id) if asked.kind is AssigneeKind.POST else Q(post__unit_id=asked.id)
    who = Q(person_id=by.person_id) | Q(person_id__in=givers)
    if asked.person is not None:
        who |= Q(person_id=asked.person)
    rows = list(
        Appointment.objects.current()
        .filter(place, who, post__active=True)
        .select_related("person", "post__unit")
        .order_by("post__position", "acting")
    )
    if asked.person is not None and any(row.person_id == asked.person for row in rows):
        mine = [row for row in rows if row.person_id == asked.person]
        if (
            asked.person != by.person_id
            and not Delegation.objects.filter(giver_id=asked.person, giver_id__in=givers).exists()
        ):
            return None
    else:
        mine = rows
    own = next((row for row in mine if row.person_id == by.person_id), None)
    chosen = own or next(iter(mine), None)
    if chosen is None:
        return None
    return Actor(
        user_id=by.user_id,
        user_name=by.user_name,
        person_id=by.person_id,
        ip=by.ip,
        request_id=by.request_id,
        appointment_id=chosen.id,
        post_id=chosen.post_id,
        post_name=chosen.post.name,
        unit_id=chosen.post.unit_id,
        unit_name=chosen.post.unit.name,
        on_behalf_of="" if own else chosen.person.name,
    )

"""In which posts somebody may act today, their own and those they stand in for; and what they may read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Q

from saas.accounts.models import RoleGrant
from saas.approvals.models import Delegation, DelegationState
from saas.core.access import ROLE_PERMISSIONS, Permission
from saas.core.actors import Actor
from saas.organisation.models import Appointment, today


@dataclass(frozen=True, slots=True)
class Seat:
    """One post somebody may act in; `giver` when standing in for its holder, then for one flow or (empty) all."""

    post_id: UUID
    post_name: str
    unit_id: UUID
    unit_name: str
    appointment_id: UUID
    giver_id: UUID | None = None
    giver_name: str = ""
    flow_key: str = ""


@dataclass(frozen=True, slots=True)
class Seats:
    """All posts of one person today."""

    person_id: UUID | None
    seats: tuple[Seat, ...] = ()

    @property
    def own(self) -> list[UUID]:
        """Ids of own posts and of their units, as tasks name them."""
        mine = [seat for seat in self.seats if seat.giver_id is None]
        return [*{seat.post_id for seat in mine}, *{seat.unit_id for seat in mine}]


def seats_of(person_id: UUID | None) -> Seats:
    """Every post a person may act in today. One query, two when the person stands in for somebody."""
    if person_id is None:
        return Seats(None)
    day = today()
    given = Delegation.objects.filter(
        stand_in_id=person_id, state=DelegationState.ACCEPTED, starts__lte=day, ends__gte=day
    )
    rows = (
        Appointment.objects.current()
        .filter(Q(person_id=person_id) | Q(person_id__in=given.values("giver_id")), post__active=True)
        .select_related("person", "post__unit")
        .order_by("-primary", "acting", "post__position")
    )
    seats: list[Seat] = []
    others: list[Appointment] = []
    for row in rows:
        if row.person_id == person_id:
            seats.append(_seat(row))
        else:
            others.append(row)
    if others:
        flows: dict[UUID, list[str]] = {}
        for giver, flow_key in given.values_list("giver_id", "flow_key"):
            flows.setdefault(giver, []).append(flow_key)
        seats += [
            _seat(row, giver_id=row.person_id, giver_name=row.person.name, flow_key=flow_key)
            for row in others
            for flow_key in flows.get(row.person_id, ())
        ]
    return Seats(person_id, tuple(seats))


def _seat(row: Appointment, *, giver_id: UUID | None = None, giver_name: str = "", flow_key: str = "") -> Seat:
    return Seat(
        post_id=row.post_id,
        post_name=row.post.name,
        unit_id=row.post.unit_id,
        unit_name=row.post.unit.name,
        appointment_id=row.id,
        giver_id=giver_id,
        giver_name=giver_name,
        flow_key=flow_key,
    )


def administers(by: Actor) -> bool:
    """Whether the actor keeps the bureau's flows. One query."""
    if by.user_id is None:
        return False
    roles = [role for role, granted in ROLE_PERMISSIONS.items() if Permission.DESIGN_FLOWS in granted]
    return RoleGrant.objects.filter(user_id=by.user_id, role__in=roles, user__is_active=True).exists()


def may_read(instance_id: UUID, by: Actor) -> bool:
    """Whether the actor may see an instance: drafter, signer of any time, reader, or flow administrator."""
    seats = seats_of(by.person_id)
    if by.person_id is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT EXISTS (SELECT 1 FROM approvals_instance i WHERE i.id = %(id)s
                               AND i.drafter_person_id = %(person)s)
                    OR EXISTS (SELECT 1 FROM approvals_task t WHERE t.instance_id = %(id)s
                               AND (t.done_by = %(person)s OR t.person_id = %(person)s
                                    OR t.supervisor_id = ANY(%(seats)s) OR (t.person_id IS NULL
                                    AND t.assignee_id = ANY(%(seats)s) AND t.state <> 'closed')))
                    OR EXISTS (SELECT 1 FROM approvals_readitem r WHERE r.instance_id = %(id)s
                               AND (r.person_id = %(person)s OR r.person_id IS NULL AND r.post_id = ANY(%(seats)s)))
                """,
                {"id": instance_id, "person": by.person_id, "seats": [*seats.own, *_delegated(seats)]},
            )
            row = cursor.fetchone()
        if row and row[0]:
            return True
    return administers(by)


def _delegated(seats: Seats) -> list[UUID]:
    return [seat.post_id for seat in seats.seats if seat.giver_id is not None]

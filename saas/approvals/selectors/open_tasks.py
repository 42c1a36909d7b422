"""Which open tasks somebody may act on, as SQL: place by place, so that each is one walk along the index of to-dos."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg import sql

from saas.approvals.selectors.seats import Seats
from saas.organisation.models import today


@dataclass(frozen=True, slots=True)
class Place:
    """A post or unit somebody acts for: as whom, in which flow (empty for all).

    `only_person`: another place gives the tasks that name nobody; here count those that name `person`.
    """

    id: UUID
    person: UUID | None
    flow: str = ""
    only_person: bool = False


def places(seats: Seats) -> list[Place]:
    """The places of these seats; no task is found by two of them."""
    found: dict[tuple[UUID, UUID | None, str], Place] = {}
    shared: set[tuple[UUID, str]] = set()
    # Whoever acts in all flows comes first: a stand-in for one flow then has nothing to add but tasks by name.
    for seat in sorted(seats.seats, key=lambda one: (one.giver_id is not None, bool(one.flow_key))):
        person = seat.giver_id or seats.person_id
        for place in (seat.post_id, seat.unit_id):
            if (place, person, "") in found or (place, person, seat.flow_key) in found:
                continue
            taken = (place, "") in shared or (place, seat.flow_key) in shared
            found[place, person, seat.flow_key] = Place(place, person, seat.flow_key, only_person=taken)
            shared.add((place, seat.flow_key))
    return list(found.values())


# A task that names a holder is everybody's again when that person no longer holds the post.
_OPEN = sql.SQL("""
    unnest(%(places)s::uuid[], %(persons)s::uuid[], %(flows)s::text[], %(only_person)s::boolean[])
        AS p (place, person, flow, only_person)
    CROSS JOIN LATERAL (
        SELECT {columns} FROM approvals_task t
        WHERE t.assignee_id = p.place AND t.state = 'open' AND (p.flow = '' OR t.flow_key = p.flow)
          AND (t.person_id = p.person OR NOT p.only_person AND (t.person_id IS NULL OR NOT EXISTS (
              SELECT FROM organisation_appointment a JOIN organisation_person h ON h.id = a.person_id AND h.active
              JOIN organisation_post o ON o.id = a.post_id AND o.active
              WHERE a.person_id = t.person_id AND a.post_id = t.assignee_id AND a.starts <= %(day)s
                AND (a.ends IS NULL OR a.ends >= %(day)s))))
          {narrower} {tail}
    ) AS mine
""")


_NOTHING = sql.SQL("")


def open_tasks(
    *, columns: sql.Composable, narrower: sql.Composable = _NOTHING, tail: sql.Composable = _NOTHING
) -> sql.Composed:
    """A FROM item named ``mine``; the statement it stands in takes `values` too.

    Args:
        columns: of the task, which is called ``t``.
        narrower: further conditions, beginning with AND.
        tail: order and limit for each place.
    """
    return _OPEN.format(columns=columns, narrower=narrower, tail=tail)


def values(seats: Seats) -> dict[str, object]:
    """What the statement needs to know of the seats."""
    found = places(seats)
    return {
        "places": [place.id for place in found],
        "persons": [place.person for place in found],
        "flows": [place.flow for place in found],
        "only_person": [place.only_person for place in found],
        "day": today(),
    }

"""Who may act on a task: whoever holds its post today, or stands in for them."""

from __future__ import annotations

from django.db import connection

from saas.approvals.engine.state import AssigneeKind, Task
from saas.core.actors import Actor
from saas.organisation.models import today

# Asked at every act: as SQL, because the ORM takes ten times as long to write it as PostgreSQL to answer it.
_SEATS = """
SELECT * FROM (
    SELECT a.id, a.person_id, p.name, a.post_id, o.name, o.unit_id, u.name,
           EXISTS (SELECT 1 FROM approvals_delegation d
                   WHERE d.stand_in_id = %(by)s AND d.giver_id = a.person_id AND d.state = 'accepted'
                     AND d.starts <= %(day)s AND d.ends >= %(day)s AND d.flow_key IN ('', %(flow)s)) AS given,
           o.position, a.acting
    FROM organisation_appointment a JOIN organisation_person p ON p.id = a.person_id AND p.active
    JOIN organisation_post o ON o.id = a.post_id AND o.active JOIN organisation_unit u ON u.id = o.unit_id
    WHERE {place} = %(place)s AND a.starts <= %(day)s AND (a.ends IS NULL OR a.ends >= %(day)s)
) AS holder (id, person_id, person, post_id, post, unit_id, unit, given, position, acting)
WHERE given OR person_id IN (%(by)s, %(asked)s) ORDER BY position, acting
"""
_SEATS_OF = {
    AssigneeKind.POST: _SEATS.format(place="a.post_id"),
    AssigneeKind.UNIT: _SEATS.format(place="o.unit_id"),
}


def seat(task: Task, *, flow_key: str, by: Actor) -> Actor | None:
    """`by` in the post the task asks for, or None when `by` may not act on it. One query.

    Somebody who stands in acts in the giver's post, with `on_behalf_of` the giver.
    """
    if by.person_id is None:
        return None
    asked = task.assignee
    with connection.cursor() as cursor:
        cursor.execute(
            _SEATS_OF[asked.kind],
            {
                "by": by.person_id,
                "asked": asked.person or by.person_id,
                "place": asked.id,
                "flow": flow_key,
                "day": today(),
            },
        )
        rows = cursor.fetchall()
    # As long as the person asked for holds the post, nobody else does for this task.
    rows = [row for row in rows if row[1] == asked.person] or rows
    mine = [row for row in rows if row[1] == by.person_id] or [row for row in rows if row[7]]
    if not mine:
        return None
    appointment_id, person_id, person, post_id, post, unit_id, unit = mine[0][:7]
    return Actor(
        user_id=by.user_id,
        user_name=by.user_name,
        person_id=by.person_id,
        ip=by.ip,
        request_id=by.request_id,
        appointment_id=appointment_id,
        post_id=post_id,
        post_name=post,
        unit_id=unit_id,
        unit_name=unit,
        on_behalf_of="" if person_id == by.person_id else person,
    )

"""Tells the engine about this bureau's organisation and calendar, in as few queries as it can."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from saas.approvals.definition import Limit, Rule, RuleKind
from saas.approvals.engine.state import Assignee, AssigneeKind, State
from saas.core import calendar
from saas.organisation import selectors as organisation
from saas.organisation.models import Appointment, Post, Unit, today

# 加急 has half the time, 特急 and 特提 a quarter (an office's habit; the limit itself is per node).
_SHARE_BY_URGENCY = {2: 2, 3: 4, 4: 4}


# Asked at every act, so as SQL; posts and units apart, so that an index answers each.
_HOLD = """
SELECT {place}, a.person_id FROM organisation_appointment a
JOIN organisation_person p ON p.id = a.person_id AND p.active
JOIN organisation_post o ON o.id = a.post_id AND o.active
WHERE {place} = ANY(%(places)s) AND a.starts <= %(day)s AND (a.ends IS NULL OR a.ends >= %(day)s)
"""
_HOLDERS = {AssigneeKind.POST: _HOLD.format(place="a.post_id"), AssigneeKind.UNIT: _HOLD.format(place="o.unit_id")}


def post_assignee(post_id: UUID) -> Assignee:
    """Whoever holds the post."""
    return Assignee(AssigneeKind.POST, post_id)


def _values_at(path: str, values: Mapping[str, Any]) -> list[UUID]:
    """What a form's field, or a table's column in all its rows, names, each once."""
    table, _dot, column = path.rpartition(".")
    found = [row.get(column) for row in values.get(table) or ()] if table else [values.get(path)]
    return list(dict.fromkeys(UUID(str(one)) for one in found if one))


def _named(ids: list[UUID]) -> tuple[Assignee, ...]:
    """Posts and units as they are; a person by the post they mainly hold. What is no longer in use is left out."""
    if not ids:
        return ()
    posts = set(Post.objects.filter(id__in=ids, active=True).values_list("id", flat=True))
    units = set(Unit.objects.filter(id__in=ids, active=True).values_list("id", flat=True))
    people: dict[UUID, Assignee] = {}
    rows = Appointment.objects.current().filter(person_id__in=ids, post__active=True).order_by("acting", "-primary")
    for person, post in rows.values_list("person_id", "post_id"):
        people.setdefault(person, Assignee(AssigneeKind.POST, post, person))
    found = []
    for one in ids:
        if one in posts:
            found.append(post_assignee(one))
        elif one in units:
            found.append(Assignee(AssigneeKind.UNIT, one))
        elif one in people:
            found.append(people[one])
    return tuple(found)


def _in_unit(rule: Rule, unit: UUID) -> tuple[Assignee, ...]:
    if rule.kind is RuleKind.ROLE_IN_UNIT:
        posts = Post.objects.filter(unit_id=unit, kind=rule.role, active=True).order_by("position", "name")
        return tuple(post_assignee(post_id) for post_id in posts.values_list("id", flat=True))
    post = organisation.leader_post(unit) if rule.kind is RuleKind.UNIT_LEADER else organisation.in_charge_post(unit)
    return (post_assignee(post.id),) if post else ()


class DatabaseFacts:
    """`engine.facts.Facts` for one step: every answer is looked up once."""

    def __init__(self) -> None:
        self._holders: dict[UUID, frozenset[UUID]] = {}

    def assignees(self, rule: Rule, state: State) -> tuple[Assignee, ...]:
        """Whom a rule names now."""
        match rule.kind:
            case RuleKind.POST:
                return (post_assignee(UUID(rule.id)),)
            case RuleKind.GROUP:
                return (Assignee(AssigneeKind.UNIT, UUID(rule.id)),)
            case RuleKind.FIELD:
                return _named(_values_at(rule.field, state.values))
            case RuleKind.LEADER_ABOVE:
                leaders = self._leaders(state.drafter.unit, state.drafter.post)
                return (post_assignee(leaders[rule.level - 1]),) if len(leaders) >= rule.level else ()
        unit = state.drafter.unit if rule.unit == "drafter" else UUID(rule.unit)
        return _in_unit(rule, unit) if unit is not None else ()

    def know(self, assignees: tuple[Assignee, ...]) -> None:
        """Look up the holders of all of them at once."""
        missing = {one.id for one in assignees} - self._holders.keys()
        if not missing:
            return
        found: dict[UUID, set[UUID]] = {one: set() for one in missing}
        for kind, statement in _HOLDERS.items():
            places = [one.id for one in assignees if one.kind is kind and one.id in missing]
            if places:
                with connection.cursor() as cursor:
                    cursor.execute(statement, {"places": places, "day": today()})
                    for place, person_id in cursor.fetchall():
                        found[place].add(person_id)
        self._holders.update({key: frozenset(people) for key, people in found.items()})

    def holders(self, assignee: Assignee) -> frozenset[UUID]:
        """Who holds the post or belongs to the unit today."""
        self.know((assignee,))
        everybody = self._holders[assignee.id]
        if assignee.person in everybody:
            return frozenset({assignee.person}) if assignee.person else everybody
        return everybody

    def leader_above(self, post: UUID) -> Assignee | None:
        """The leader over a post."""
        unit = Post.objects.filter(id=post).values_list("unit_id", flat=True).first()
        leaders = self._leaders(unit, post)
        return post_assignee(leaders[0]) if leaders else None

    def due(self, limit: Limit, *, since: datetime, urgency: int) -> datetime | None:
        """When the time to act ends; urgent matters have less."""
        if not limit:
            return None
        share = _SHARE_BY_URGENCY.get(urgency, 1)
        if share == 1 and not limit.hours:
            return calendar.end_of_working_day(since, limit.days)
        minutes = limit.days * calendar.MINUTES_A_DAY + limit.hours * 60
        return calendar.add_working_minutes(since, max(minutes // share, 60))

    @staticmethod
    def _leaders(unit: UUID | None, post: UUID) -> list[UUID]:
        """Posts of the leaders from a unit upwards, without the given post."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH RECURSIVE up AS (
                    SELECT id, parent_id, 0 AS distance FROM organisation_unit WHERE id = %s
                    UNION ALL
                    SELECT u.id, u.parent_id, up.distance + 1 FROM organisation_unit u JOIN up ON u.id = up.parent_id
                    WHERE up.distance < 50
                )
                SELECT DISTINCT ON (up.distance) p.id FROM up
                JOIN organisation_post p ON p.unit_id = up.id AND p.kind = 'leader' AND p.active
                WHERE p.id <> %s ORDER BY up.distance, p.position, p.name
                """,
                [unit, post],
            )
            return [row[0] for row in cursor.fetchall()]

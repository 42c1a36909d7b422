"""One matter as its handling page shows it: state, possible acts, and the sign-off timeline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from saas.approvals import store, wording
from saas.approvals.definition import Approve
from saas.approvals.definition.model import Visibility
from saas.approvals.engine.commands import Act
from saas.approvals.engine.possible import possibilities, return_targets
from saas.approvals.engine.state import HoldReason, Task, TaskKind, TaskState
from saas.approvals.models import Delegation, DelegationState
from saas.approvals.selectors.seats import Seats
from saas.approvals.world import DatabaseFacts
from saas.core import calendar
from saas.core.actors import Actor
from saas.organisation.models import Appointment, Post, Unit, today


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the sign-off: an opinion given, or somebody who is asked now.

    `state` is ``done``, ``back`` (returned, refused, withdrawn) or ``now``.
    """

    state: str
    node_name: str
    who: str
    act: str = ""
    text: str = ""
    at: datetime | None = None
    due_at: datetime | None = None
    on_behalf_of: str = ""
    hidden: bool = False
    task_id: UUID | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PossibleAct:
    """An act with its label and, when it is not possible, the reason."""

    act: Act
    label: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class ReadState:
    """One reader of a circulation."""

    who: str
    sent_by: str
    sent_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Matter:
    """Everything a handling page needs of the engine."""

    loaded: store.Loaded
    entries: Sequence[TimelineEntry]
    reads: Sequence[ReadState]
    phrases: Sequence[str]

    @property
    def read_count(self) -> int:
        """How many of the readers have read it."""
        return sum(1 for one in self.reads if one.read_at)


_BACK = frozenset({Act.RETURN, Act.DISAGREE, Act.WITHDRAW, Act.TERMINATE})
_RECORDS = """
SELECT (SELECT coalesce(jsonb_agg(jsonb_build_array(o.task_id, o.node, o.node_name, o.act, o.text, o.person_id,
            o.person_name, o.post_name, o.unit_name, o.on_behalf_of, o.at) ORDER BY o.id), '[]'::jsonb)
        FROM approvals_opinion o WHERE o.instance_id = %(id)s),
       (SELECT coalesce(jsonb_agg(jsonb_build_array(r.person_name, r.post_name, r.sent_by, r.sent_at, r.read_at)
            ORDER BY r.sent_at, r.person_name), '[]'::jsonb)
        FROM (SELECT * FROM approvals_readitem WHERE instance_id = %(id)s ORDER BY sent_at LIMIT 500) r),
       (SELECT coalesce(jsonb_agg(p.text ORDER BY p.position, p.id), '[]'::jsonb)
        FROM approvals_phrase p WHERE p.person_id = %(person)s)
"""


def matter_of(loaded: store.Loaded, reader: Actor) -> Matter:
    """The matter as `reader` may see it. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS, {"id": loaded.header.id, "person": reader.person_id})
        row = cursor.fetchone()
    columns: tuple[Any, ...] = row or ([], [], [])
    found: list[list[Any]] = [json.loads(one) if isinstance(one, str) else one for one in columns]
    opinions, reads, phrases = found
    entries = [_opinion(loaded, values, reader) for values in opinions]
    entries += _waiting(loaded)
    return Matter(
        loaded,
        entries,
        [ReadState(f"{r[0]}（{r[1]}）" if r[0] else r[1], r[2], _at(r[3]), _maybe(r[4])) for r in reads],
        phrases,
    )


def timeline(instance_id: UUID, reader: Actor) -> Sequence[TimelineEntry]:
    """The sign-off of an instance as `reader` may see it; empty when there is none."""
    loaded = store.read(instance_id)
    return matter_of(loaded, reader).entries if loaded else ()


def _at(text: str) -> datetime:
    return parse_datetime(text) or timezone.now()


def _maybe(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None


def _opinion(loaded: store.Loaded, row: list[Any], reader: Actor) -> TimelineEntry:
    task_id, node, node_name, act_name, text, person, person_name, post_name, unit_name, behalf, at = row
    hidden = bool(text) and _hidden(loaded, node, UUID(task_id) if task_id else None, person, reader)
    place = " ".join(part for part in (unit_name, post_name) if part)
    return TimelineEntry(
        state="back" if act_name in _BACK else "done",
        node_name=node_name,
        who=f"{person_name}（{place}）" if place else person_name,
        act=wording.act_text(act_name),
        text="" if hidden else text,
        at=_at(at),
        on_behalf_of=behalf,
        hidden=hidden,
        task_id=UUID(task_id) if task_id else None,
    )


def _hidden(loaded: store.Loaded, node: str, task_id: UUID | None, person: str | None, reader: Actor) -> bool:
    """While a node is open, co-signers' opinions are hidden as its definition says."""
    definition = loaded.flow.places.get(node) and loaded.flow.node(node)
    active = loaded.state.active.get(node)
    if not isinstance(definition, Approve) or active is None or definition.opinions is Visibility.OPEN:
        return False
    task = next((one for one in loaded.state.tasks if one.id == task_id), None)
    if task is None or task.round != active.round or person == str(reader.person_id):
        return False
    if definition.opinions is Visibility.BLIND:
        return True
    return not any(t.done_by == reader.person_id and t.vote for t in loaded.state.at(node))


def _waiting(loaded: store.Loaded) -> list[TimelineEntry]:
    live = [task for task in loaded.state.live_tasks() if task.node in loaded.state.active]
    names = names_of_assignees((task.assignee.id for task in live), flow_key=loaded.header.flow_key)
    entries = [
        TimelineEntry(
            state="now",
            node_name=loaded.flow.node(task.node).name,
            who=names.get(task.assignee.id, _("岗位空缺")),
            act=_state_text(task),
            at=task.opened_at,
            due_at=task.due_at,
            text=_unknown_year(task.due_at),
            task_id=task.id,
            kind=task.kind.value,
        )
        for task in live
    ]
    for key, active in loaded.state.active.items():
        if active.hold is not None and active.hold.reason is not HoldReason.VACANT:
            text = str(wording.HOLDS[active.hold.reason])
            entries.append(TimelineEntry(state="now", node_name=loaded.flow.node(key).name, who=text))
    return entries


def _unknown_year(due: datetime | None) -> str:
    """Says so when a limit was counted without that year's holiday notice."""
    year = timezone.localtime(due).year if due else 0
    if not year or calendar.is_known(year):
        return ""
    return _("%(year)d 年的放假安排还没有录入，时限暂按周一至周五推算。") % {"year": year}


def _state_text(task: Task) -> str:
    if task.state is TaskState.WAITING:
        return _("等待受邀人")
    if task.state is TaskState.QUEUED:
        return _("未轮到")
    if task.kind is TaskKind.START:
        return _("待重新提交")
    return _("已打开") if task.seen else _("待办")


def names_of_assignees(ids: Iterable[UUID], *, flow_key: str = "") -> dict[UUID, str]:
    """Posts with their holders of today and who stands in for them, units with their name.

    One query, one more when something is vacant. Delegations for single flows count for `flow_key` alone.
    """
    wanted = set(ids)
    if not wanted:
        return {}
    found: dict[UUID, list[str]] = {}
    posts: dict[UUID, str] = {}
    rows = Appointment.objects.current().filter(Q(post_id__in=wanted) | Q(post__unit_id__in=wanted), post__active=True)
    day = today()
    given = Delegation.objects.filter(
        Q(flow_key="") | Q(flow_key=flow_key),
        giver_id=OuterRef("person_id"),
        state=DelegationState.ACCEPTED,
        starts__lte=day,
        ends__gte=day,
    )
    named = rows.in_rank_order().annotate(stand_in=Subquery(given.order_by("starts").values("stand_in_name")[:1]))
    for post_id, post_name, unit_id, unit_name, person, stand_in in named.values_list(
        "post_id", "post__name", "post__unit_id", "post__unit__name", "person__name", "stand_in"
    ):
        if post_id in wanted:
            text = _("%(name)s［%(stand_in)s 可代］") % {"name": person, "stand_in": stand_in} if stand_in else person
            found.setdefault(post_id, []).append(text)
            posts[post_id] = f"{unit_name} {post_name}"
        if unit_id in wanted:
            posts[unit_id] = unit_name
    names = {
        key: (f"{'、'.join(found[key][:5])}{'…' if len(found[key]) > 5 else ''}（{name}）" if key in found else name)
        for key, name in posts.items()
    }
    missing = wanted - names.keys()
    if missing:
        for post in Post.objects.filter(id__in=missing).select_related("unit"):
            names[post.id] = _("%(unit)s %(post)s（空缺）") % {"unit": post.unit.name, "post": post.name}
        for unit in Unit.objects.filter(id__in=missing - names.keys()):
            names[unit.id] = unit.name
    return names


def possible_acts(loaded: store.Loaded, task: Task) -> list[PossibleAct]:
    """Every act on a task, those that are not possible with their reason."""
    return [
        PossibleAct(
            one.act,
            str(wording.ACTS[one.act]) if task.kind is not TaskKind.START or one.act is not Act.AGREE else _("提交"),
            wording.reason_text(one.reason) if one.reason else "",
        )
        for one in possibilities(loaded.flow, loaded.state, task)
    ]


def return_choices(loaded: store.Loaded, task: Task) -> list[tuple[str, str]]:
    """Nodes a task may be returned to: key and name, the drafter first."""
    keys = return_targets(loaded.flow, loaded.state, task, now=timezone.now(), facts=DatabaseFacts())
    return [(key, loaded.flow.node(key).name) for key in keys]


def seat_name(seats: Seats, task: Task) -> str:
    """In which post, and for whom, the reader would act on a task; empty when they may not."""
    for seat in seats.seats:
        if task.assignee.id in {seat.post_id, seat.unit_id}:
            return f"{seat.unit_name} {seat.post_name}" + (f"（代 {seat.giver_name}）" if seat.giver_name else "")
    return ""

"""A form as somebody may see it: names for ids, the record of changes, and which flows can be applied for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from saas.approvals import store
from saas.approvals.definition import Start
from saas.approvals.engine.state import TaskState
from saas.approvals.forms import Field, FieldType, Form
from saas.approvals.forms.cleaning import is_empty
from saas.approvals.forms.model import Access, Rights
from saas.approvals.forms.values import Values, visible
from saas.approvals.models import Flow, FlowEvent, ReadItem, VersionState
from saas.approvals.selectors.seats import Seats
from saas.core.actors import Actor
from saas.organisation.models import Person, Post, Unit

Names = Mapping[str, str]


def form_seen_by(loaded: store.Loaded, by: Actor, seats: Seats) -> Form:
    """The part of a form that whoever looks at the matter may see: what a node they take part in shows.

    Somebody who keeps the flows without taking part sees what no node hides. One query for readers.
    """
    form, flow = loaded.flow.form, loaded.flow
    if not form:
        return form
    asked = {seat.post_id for seat in seats.seats} | {seat.unit_id for seat in seats.seats}
    nodes = {
        task.node
        for task in loaded.state.tasks
        if (task.done_by is not None and task.done_by == by.person_id)
        or (task.state is not TaskState.CLOSED and task.assignee.id in asked and task.assignee.person is None)
    }
    if by.person_id is not None and by.person_id == loaded.state.drafter.person:
        nodes.add(flow.start.key)
    if not nodes and by.person_id is not None:
        nodes = set(
            ReadItem.objects.filter(instance_id=loaded.header.id, person_id=by.person_id).values_list("node", flat=True)
        )
    nodes &= flow.places.keys()
    if nodes:
        return visible(form, [flow.rights(key) for key in sorted(nodes)])
    everywhere = [flow.rights(node.key) for node in flow.walk() if not isinstance(node, Start)]
    open_to_all = {path for path in form.by_path if not any(_hides(rights, path) for rights in everywhere)}
    shown = visible(form, [Rights()])
    fields = [
        Field(
            key=one.key,
            label=one.label,
            type=one.type,
            columns=tuple(column for column in one.columns if f"{one.key}.{column.key}" in open_to_all),
        )
        for one in shown.fields
        if one.key in open_to_all
    ]
    return Form(tuple(fields))


def _hides(rights: Rights, path: str) -> bool:
    table, _dot, column = path.rpartition(".")
    return (rights.of_column(table, column) if table else rights.of(path)) is Access.HIDDEN


def names_of(form: Form, values: Values, more: Iterable[Any] = ()) -> dict[str, str]:
    """Names of the people, units and posts a form's values name. At most three queries, none without such fields."""
    wanted: dict[FieldType, set[UUID]] = {}
    for path, field in form.people():
        table, _dot, column = path.rpartition(".")
        rows = values.get(table) or () if table else ()
        found = [row.get(column) for row in rows] if table else [values.get(path)]
        for one in [*found, *more]:
            if (known := _uuid(one)) is not None:
                wanted.setdefault(field.type, set()).add(known)
    names: dict[str, str] = {}
    if FieldType.PERSON in wanted:
        people = Person.objects.filter(id__in=wanted[FieldType.PERSON])
        names |= {str(one): name for one, name in people.values_list("id", "name")}
    if FieldType.UNIT in wanted:
        units = Unit.objects.filter(id__in=wanted[FieldType.UNIT])
        names |= {str(one): name for one, name in units.values_list("id", "name")}
    if FieldType.POST in wanted:
        posts = Post.objects.filter(id__in=wanted[FieldType.POST])
        names |= {str(one): f"{unit} {name}" for one, name, unit in posts.values_list("id", "name", "unit__name")}
    return names


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def text_of(field: Field, value: Any, names: Names) -> str:
    """A value as people read it; an empty one is empty."""
    if is_empty(value):
        return ""
    match field.type:
        case FieldType.MONEY:
            text = f"{Decimal(str(value)):,}"
        case FieldType.YES_NO:
            text = _("是") if value else _("否")
        case FieldType.CHOICES:
            text = "、".join(str(one) for one in value)
        case FieldType.PERSON | FieldType.UNIT | FieldType.POST:
            text = names.get(str(value), _("（已不存在）"))
        case _:
            text = str(value)
    return text


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One recorded change in words."""

    at: datetime
    who: str
    what: str
    before: str
    after: str


def form_changes(instance_id: UUID, form: Form) -> Sequence[ChangeLine]:
    """What was changed after the form was first sent, newest first, of the fields in `form`. One query, and names."""
    rows = FlowEvent.objects.filter(instance_id=instance_id, detail__has_key="changed").exclude(act="start")
    events = list(rows.order_by("-id").values_list("at", "actor_label", "detail")[:200])
    touched = [value for _at, _who, detail in events for one in detail["changed"] for value in _values(one)]
    names = names_of(form, {}, touched)
    lines = []
    for at, who, detail in events:
        for one in detail["changed"]:
            lines += _lines(form, names, at, who, one)
    return lines


def _values(change: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for value in (change["before"], change["after"]):
        found += value.values() if isinstance(value, Mapping) else [value]
    return found


def _lines(form: Form, names: Names, at: datetime, who: str, change: Mapping[str, Any]) -> list[ChangeLine]:
    field = form.by_path.get(change["field"])
    if field is None:
        return []
    before, after = change["before"], change["after"]
    if not change["row"]:
        return [ChangeLine(at, who, field.label, text_of(field, before, names), text_of(field, after, names))]
    if change["column"]:
        column = field.column(change["column"])
        if column is None:
            return []
        what = f"{field.label} · {column.label}"
        return [ChangeLine(at, who, what, text_of(column, before, names), text_of(column, after, names))]
    return [ChangeLine(at, who, field.label, _row_text(field, before, names), _row_text(field, after, names))]


def _row_text(table: Field, row: Any, names: Names) -> str:
    if not isinstance(row, Mapping):
        return ""
    texts = (text_of(column, row.get(column.key), names) for column in table.columns)
    return "，".join(text for text in texts if text)


def applications() -> list[tuple[str, str]]:
    """Key and name of the flows anybody may start by filling in their form. One query."""
    flows = Flow.objects.filter(versions__state=VersionState.PUBLISHED, versions__tree__form__applies=True)
    return list(flows.order_by("position", "key").values_list("key", "name"))

"""Fills the form of a flow with an act: what the node's rules allow, for people who exist, written with its changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from saas.approvals import store
from saas.approvals.forms import FieldType, Form
from saas.approvals.forms.filling import Filled, complete, fill
from saas.approvals.forms.values import Change, Filler, Values
from saas.approvals.models import Instance
from saas.core.actors import Actor
from saas.core.errors import Conflict, Invalid
from saas.organisation.models import Person, Post, Unit

_MODELS: dict[FieldType, type[Person | Unit | Post]] = {
    FieldType.PERSON: Person,
    FieldType.UNIT: Unit,
    FieldType.POST: Post,
}


@dataclass(frozen=True, slots=True)
class FormInput:
    """What somebody filled in.

    Args:
        values: by field, tables as lists of rows; see `forms.filling.fill`.
        seen: `mark` of the values the form was filled in on; empty when the caller has just read them.
    """

    values: Values
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The instance with the values filled in, and what to keep of the changes in the act's event."""

    loaded: store.Loaded
    detail: Mapping[str, object]


def mark(form: Form, values: Values) -> str:
    """Names the values of a form, so that a second editor is told of the first."""
    own = {field.key: values.get(field.key) for field in form.fields}
    return hashlib.sha256(json.dumps(own, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def form_fill(*, loaded: store.Loaded, node: str, given: FormInput | None, by: Actor, sending: bool) -> Outcome:
    """Fill the instance's form at a node.

    Args:
        loaded: the instance, locked (or new and not yet written).
        node: where `by` acts.
        given: what was filled in; None for nothing.
        by: who, in the post they act in.
        sending: the act sends the matter on, so what must be filled is asked for.

    Raises:
        Invalid: with every wrong field, named ``form.<path>``.
        Conflict: somebody else has changed the form since.
    """
    form = loaded.flow.form
    if not form or (given is None and not sending):
        return Outcome(loaded, {})
    rights = loaded.flow.rights(node)
    filler = Filler(person=by.person_id, post=by.post_id, unit=by.unit_id)
    filled = fill(form, rights, loaded.state.values, given.values if given else {}, filler)
    if sending:
        complete(form, rights, filled, filler)
    _check_people(form, filled)
    if filled.errors:
        raise Invalid(
            _("表单有 %(count)d 处要改正：%(first)s")
            % {"count": len(filled.errors), "first": next(iter(filled.errors.values()))},
            fields={f"form.{path}": reason for path, reason in filled.errors.items()},
        )
    if not filled.changes:
        return Outcome(loaded, {})
    if given is not None and given.seen and given.seen != mark(form, loaded.state.values):
        raise Conflict(_("表单刚被别人改过，请核对下面您填的内容后再提交。"), code="approvals.form_changed")
    changed = replace(loaded, state=replace(loaded.state, values=filled.values))
    return Outcome(changed, {"changed": [change.as_json() for change in filled.changes]})


def values_write(loaded: store.Loaded) -> None:
    """Keep the values of an instance that stands in the database already."""
    Instance.objects.filter(id=loaded.header.id).update(values=dict(loaded.state.values))


def _check_people(form: Form, filled: Filled) -> None:
    """Refuse people, units and posts that do not exist or are no longer used, where they were just named."""
    named: dict[FieldType, dict[UUID, str]] = {}
    for path, field in form.people():
        for place, value in _named(path, filled.changes):
            named.setdefault(field.type, {})[UUID(value)] = place
    for kind, places in named.items():
        known = set(_MODELS[kind].objects.filter(id__in=places, active=True).values_list("id", flat=True))
        for one in places.keys() - known:
            filled.errors.setdefault(places[one], _("所选的人员、部门或岗位不存在，或已停用。"))


def _named(path: str, changes: Sequence[Change]) -> list[tuple[str, str]]:
    """Where a field or column got a new value, and which."""
    table, _dot, column = path.rpartition(".")
    found: list[tuple[str, Any]] = []
    for one in changes:
        if not table and one.field == path:
            found.append((path, one.after))
        elif table and one.field == table and one.column == column:
            found.append((f"{table}.{one.row}.{column}", one.after))
        elif table and one.field == table and not one.column and isinstance(one.after, Mapping):
            found.append((f"{table}.{one.row}.{column}", one.after.get(column)))
    return [(place, str(value)) for place, value in found if value]

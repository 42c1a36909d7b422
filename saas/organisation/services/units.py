"""Changes the tree of units."""

from __future__ import annotations

import enum
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound
from saas.organisation import changes
from saas.organisation.models import Post, Unit
from saas.organisation.rules import Checked


class Shift(enum.StrEnum):
    """Which way a unit moves among its siblings."""

    UP = "up"
    DOWN = "down"


@transaction.atomic
def unit_create(
    *, code: str, name: str, by: Actor, parent_id: UUID | None = None, short_name: str = "", position: int | None = None
) -> Unit:
    """Add a unit under `parent_id`, last among its siblings unless `position` says otherwise.

    Raises:
        Invalid: a value is wrong, the code is taken or the parent is out of use.
    """
    checked = Checked()
    code = checked.code("code", code)
    name = checked.text("name", name, most=100)
    short_name = checked.optional_text("short_name", short_name, most=40)
    units = _locked_tree()
    if any(unit.code == code for unit in units.values()):
        checked.refuse("code", _("编码已被使用"))
    if parent_id is not None and not (parent_id in units and units[parent_id].active):
        checked.refuse("parent", _("上级部门不存在或已停用"))
    checked.raise_if_wrong()
    if position is None:
        position = max((u.position for u in units.values() if u.parent_id == parent_id), default=0) + 10
    unit = Unit.objects.create(code=code, name=name, short_name=short_name, parent_id=parent_id, position=position)
    _record(unit, by, "created")
    return unit


@transaction.atomic
def unit_change(
    *, unit_id: UUID, code: str, name: str, short_name: str, in_charge_post_id: UUID | None, by: Actor
) -> Unit:
    """Rename a unit, give it another code, or name the post that is in charge of it (分管领导).

    Raises:
        NotFound: no such unit.
        Invalid: a value is wrong or the code is taken.
    """
    units = _locked_tree()
    unit = _get(units, unit_id)
    checked = Checked()
    code = checked.code("code", code)
    name = checked.text("name", name, most=100)
    short_name = checked.optional_text("short_name", short_name, most=40)
    if any(other.code == code and other.id != unit_id for other in units.values()):
        checked.refuse("code", _("编码已被使用"))
    if in_charge_post_id is not None and not Post.objects.filter(id=in_charge_post_id, active=True).exists():
        checked.refuse("in_charge_post", _("岗位不存在或已停用"))
    checked.raise_if_wrong()
    posts = {post for post in (unit.in_charge_post_id, in_charge_post_id) if post}
    changed_leader = unit.in_charge_post_id != in_charge_post_id
    before = unit.name
    unit.code, unit.name, unit.short_name, unit.in_charge_post_id = code, name, short_name, in_charge_post_id
    unit.save(update_fields=["code", "name", "short_name", "in_charge_post"])
    _record(unit, by, "changed", before=before)
    if changed_leader:
        changes.announce(by=by, posts=posts)
    return unit


@transaction.atomic
def unit_save(
    *,
    unit_id: UUID,
    code: str,
    name: str,
    short_name: str,
    parent_id: UUID | None,
    in_charge_post_id: UUID | None,
    by: Actor,
) -> Unit:
    """Change and move a unit in one act.

    Raises:
        NotFound: no such unit.
        Invalid: as `unit_change` and `unit_move`.
    """
    unit_move(unit_id=unit_id, parent_id=parent_id, by=by)
    return unit_change(
        unit_id=unit_id, code=code, name=name, short_name=short_name, in_charge_post_id=in_charge_post_id, by=by
    )


@transaction.atomic
def unit_move(*, unit_id: UUID, parent_id: UUID | None, by: Actor) -> Unit:
    """Put a unit with all below it under another parent, last among its new siblings.

    Raises:
        NotFound: no such unit.
        Invalid: the parent is unknown, out of use, or is the unit itself or under it.
    """
    units = _locked_tree()
    unit = _get(units, unit_id)
    parent = units.get(parent_id) if parent_id is not None else None
    if parent_id is not None and (parent is None or not parent.active):
        raise Invalid(_("上级部门不存在或已停用"), fields={"parent": _("上级部门不存在或已停用")})
    above = parent
    while above is not None:
        if above.id == unit_id:
            message = _("不能移到自己或自己的下级之下")
            raise Invalid(message, code="unit.cycle", fields={"parent": message})
        above = units.get(above.parent_id) if above.parent_id else None
    if unit.parent_id == parent_id:
        return unit
    unit.parent_id = parent_id
    unit.position = max((u.position for u in units.values() if u.parent_id == parent_id and u != unit), default=0) + 10
    unit.save(update_fields=["parent", "position"])
    _record(unit, by, "moved", parent=parent.name if parent else "")
    return unit


@transaction.atomic
def unit_shift(*, unit_id: UUID, shift: Shift, by: Actor) -> Unit:
    """Change places with the sibling before or after; at the edge nothing happens.

    Raises:
        NotFound: no such unit.
    """
    units = _locked_tree()
    unit = _get(units, unit_id)
    siblings = sorted(
        (u for u in units.values() if u.parent_id == unit.parent_id and u.active), key=lambda u: (u.position, u.code)
    )
    if unit not in siblings:
        return unit
    at = siblings.index(unit)
    to = at - 1 if shift is Shift.UP else at + 1
    if not 0 <= to < len(siblings):
        return unit
    siblings[at], siblings[to] = siblings[to], siblings[at]
    for place, sibling in enumerate(siblings, start=1):
        sibling.position = place * 10
    Unit.objects.bulk_update(siblings, ["position"])
    _record(unit, by, "reordered")
    return unit


@transaction.atomic
def unit_deactivate(*, unit_id: UUID, by: Actor) -> Unit:
    """Take a unit out of use. Its posts and the units under it must be out of use first.

    Raises:
        NotFound: no such unit.
        Conflict: something in it is still in use.
    """
    units = _locked_tree()
    unit = _get(units, unit_id)
    if any(u.parent_id == unit_id and u.active for u in units.values()):
        raise Conflict(_("请先停用或移走下级部门。"), code="unit.has_units")
    if Post.objects.filter(unit_id=unit_id, active=True).exists():
        raise Conflict(_("请先停用本部门的岗位。"), code="unit.has_posts")
    if unit.active:
        unit.active = False
        unit.save(update_fields=["active"])
        _record(unit, by, "deactivated")
    return unit


@transaction.atomic
def unit_reactivate(*, unit_id: UUID, by: Actor) -> Unit:
    """Put a unit back into use.

    Raises:
        NotFound: no such unit.
        Conflict: the unit above is out of use.
    """
    units = _locked_tree()
    unit = _get(units, unit_id)
    if unit.parent_id and not units[unit.parent_id].active:
        raise Conflict(_("上级部门已停用，请先启用上级部门。"), code="unit.parent_inactive")
    if not unit.active:
        unit.active = True
        unit.save(update_fields=["active"])
        _record(unit, by, "reactivated")
    return unit


def _locked_tree() -> dict[UUID, Unit]:
    # The whole tree: cycles and orders concern all of it, and a bureau has some dozens of units.
    return {unit.id: unit for unit in Unit.objects.select_for_update(of=("self",)).order_by("id")}


def _get(units: dict[UUID, Unit], unit_id: UUID) -> Unit:
    if unit_id not in units:
        raise NotFound(_("没有这个部门。"))
    return units[unit_id]


def _record(unit: Unit, by: Actor, act: str, **detail: str) -> None:
    record(
        Event.UNIT_CHANGED,
        by=by,
        target=Target("unit", unit.id, unit.name),
        detail={"act": act, "code": unit.code, **detail},
    )

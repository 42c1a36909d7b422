"""Changes posts."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, NotFound
from saas.organisation import changes
from saas.organisation.models import Appointment, Post, PostKind, Unit, today
from saas.organisation.rules import Checked


@transaction.atomic
def post_create(*, unit_id: UUID, name: str, kind: str, by: Actor, position: int = 0) -> Post:
    """Add a post to a unit.

    Raises:
        Invalid: a value is wrong, the unit is out of use or has a post of that name.
    """
    unit = Unit.objects.select_for_update(of=("self",)).filter(id=unit_id, active=True).first()
    checked = Checked()
    name = checked.text("name", name, most=60)
    kind = checked.choice("kind", kind, _kinds())
    if unit is None:
        checked.refuse("unit", _("部门不存在或已停用"))
    elif Post.objects.filter(unit=unit, name=name).exists():
        checked.refuse("name", _("本部门已有同名岗位"))
    checked.raise_if_wrong()
    post = Post.objects.create(unit_id=unit_id, name=name, kind=kind, position=position)
    _record(post, by, "created")
    return post


@transaction.atomic
def post_change(*, post_id: UUID, name: str, kind: str, position: int, by: Actor) -> Post:
    """Rename a post, change its kind or its place.

    Raises:
        NotFound: no such post.
        Invalid: a value is wrong or the name is taken in its unit.
    """
    post = _locked(post_id)
    checked = Checked()
    name = checked.text("name", name, most=60)
    kind = checked.choice("kind", kind, _kinds())
    if Post.objects.filter(unit_id=post.unit_id, name=name).exclude(id=post_id).exists():
        checked.refuse("name", _("本部门已有同名岗位"))
    checked.raise_if_wrong()
    before, kind_before = post.name, post.kind
    post.name, post.kind, post.position = name, kind, position
    post.save(update_fields=["name", "kind", "position"])
    _record(post, by, "changed", before=before)
    if kind_before != kind:
        changes.announce(by=by, posts={post.id})
    return post


@transaction.atomic
def post_deactivate(*, post_id: UUID, by: Actor) -> Post:
    """Take a post out of use. Nobody may hold it today or later, and it may be in charge of no unit.

    Raises:
        NotFound: no such post.
        Conflict: it is held or oversees a unit.
    """
    post = _locked(post_id)
    held = Appointment.objects.filter(Q(ends__isnull=True) | Q(ends__gte=today()), post=post)
    if held.exists():
        raise Conflict(_("还有人任此岗位，请先结束任职。"), code="post.held")
    if Unit.objects.filter(in_charge_post=post, active=True).exists():
        raise Conflict(_("此岗位还分管着部门，请先改变分管。"), code="post.in_charge")
    if post.active:
        post.active = False
        post.save(update_fields=["active"])
        _record(post, by, "deactivated")
        changes.announce(by=by, posts={post.id})
    return post


@transaction.atomic
def post_reactivate(*, post_id: UUID, by: Actor) -> Post:
    """Put a post back into use.

    Raises:
        NotFound: no such post.
        Conflict: its unit is out of use.
    """
    post = _locked(post_id)
    if not Unit.objects.filter(id=post.unit_id, active=True).exists():
        raise Conflict(_("部门已停用，请先启用部门。"), code="post.unit_inactive")
    if not post.active:
        post.active = True
        post.save(update_fields=["active"])
        _record(post, by, "reactivated")
        changes.announce(by=by, posts={post.id})
    return post


def _kinds() -> dict[str, str]:
    return {str(label): str(value) for value, label in PostKind.choices}


def _locked(post_id: UUID) -> Post:
    post = Post.objects.select_for_update(of=("self",)).filter(id=post_id).first()
    if post is None:
        raise NotFound(_("没有这个岗位。"))
    return post


def _record(post: Post, by: Actor, act: str, **detail: str) -> None:
    record(Event.POST_CHANGED, by=by, target=Target("post", post.id, post.name), detail={"act": act, **detail})

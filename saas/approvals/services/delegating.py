"""委托代办: for certain days, counting only once the stand-in has accepted, ended by either side; recorded."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals.models import Delegation, DelegationState, Flow
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound
from saas.organisation.models import Appointment, today

MAX_DAYS = 366
MAX_REASON = 200
_OPEN = (DelegationState.PROPOSED, DelegationState.ACCEPTED)


@transaction.atomic
def give(*, stand_in_id: UUID, starts: date, ends: date, by: Actor, flow_key: str = "", reason: str = "") -> Delegation:
    """Ask somebody to act for `by` on these days, both included; it counts when they accept.

    Args:
        stand_in_id: the person asked, who must hold a post today.
        starts: first day, today or later.
        ends: last day, at most a year after the first.
        by: whose to-dos are meant.
        flow_key: only this flow; empty for all.
        reason: shown to the stand-in.

    Raises:
        Forbidden: `by` is nobody with a post.
        Invalid: with every wrong field.
        Conflict: somebody already stands in, or was asked to, for the same flow on one of these days.
    """
    if by.person_id is None:
        raise Forbidden(_("没有任职的账号不能委托代办。"))
    names = _names_of_serving({stand_in_id, by.person_id})
    if by.person_id not in names:
        raise Forbidden(_("没有任职的账号不能委托代办。"))
    _check(names, stand_in_id=stand_in_id, starts=starts, ends=ends, by=by, flow_key=flow_key, reason=reason)
    mine = Delegation.objects.select_for_update().filter(
        giver_id=by.person_id, state__in=_OPEN, starts__lte=ends, ends__gte=starts
    )
    for other in mine:
        if not flow_key or not other.flow_key or flow_key == other.flow_key:
            message = _("%(who)s 在 %(starts)s 至 %(ends)s 已受您委托，请先收回或改选日期。")
            raise Conflict(
                message % {"who": other.stand_in_name, "starts": other.starts, "ends": other.ends},
                code="delegation.overlaps",
            )
    made = Delegation.objects.create(
        giver_id=by.person_id,
        giver_name=names[by.person_id],
        stand_in_id=stand_in_id,
        stand_in_name=names[stand_in_id],
        flow_key=flow_key,
        starts=starts,
        ends=ends,
        reason=reason.strip(),
    )
    _record(made, by)
    return made


def _names_of_serving(people: set[UUID]) -> dict[UUID, str]:
    rows = Appointment.objects.current().filter(person_id__in=people, person__active=True, post__active=True)
    return dict(rows.values_list("person_id", "person__name"))


def _check(
    names: dict[UUID, str],
    *,
    stand_in_id: UUID,
    starts: date,
    ends: date,
    by: Actor,
    flow_key: str,
    reason: str,
) -> None:
    fields = {}
    if stand_in_id == by.person_id:
        fields["stand_in"] = _("不能委托给自己。")
    elif stand_in_id not in names:
        fields["stand_in"] = _("受托人现在没有任职，请另选。")
    if starts < today():
        fields["starts"] = _("开始日期不能早于今天。")
    if ends < starts:
        fields["ends"] = _("结束日期不能早于开始日期。")
    elif ends - starts > timedelta(days=MAX_DAYS):
        fields["ends"] = _("一次最多委托一年。")
    if flow_key and not Flow.objects.filter(key=flow_key).exists():
        fields["flow"] = _("没有这个流程。")
    if len(reason.strip()) > MAX_REASON:
        fields["reason"] = _("事由最多 %(limit)d 个字。") % {"limit": MAX_REASON}
    if fields:
        raise Invalid(_("委托没有保存。"), fields=fields)


def accept(*, delegation_id: UUID, by: Actor) -> Delegation:
    """The stand-in agrees. Raises as `_answer`."""
    return _answer(delegation_id, by=by, state=DelegationState.ACCEPTED)


def decline(*, delegation_id: UUID, by: Actor) -> Delegation:
    """The stand-in does not agree, or no longer. Raises as `_answer`."""
    return _answer(delegation_id, by=by, state=DelegationState.DECLINED)


def revoke(*, delegation_id: UUID, by: Actor) -> Delegation:
    """The giver takes it back, from this moment. Raises as `_answer`."""
    return _answer(delegation_id, by=by, state=DelegationState.REVOKED)


# Who may bring a delegation to a state, and from which states.
_FROM = {
    DelegationState.ACCEPTED: frozenset({DelegationState.PROPOSED}),
    DelegationState.DECLINED: frozenset(_OPEN),
    DelegationState.REVOKED: frozenset(_OPEN),
}


@transaction.atomic
def _answer(delegation_id: UUID, *, by: Actor, state: DelegationState) -> Delegation:
    """Bring a delegation to a state.

    Raises:
        NotFound: no such delegation of the actor's.
        Conflict: it is over, or has been answered otherwise.
    """
    found = Delegation.objects.select_for_update().filter(id=delegation_id).first()
    if found is None or by.person_id is None:
        raise NotFound(_("没有这项委托。"))
    if by.person_id != (found.giver_id if state is DelegationState.REVOKED else found.stand_in_id):
        raise NotFound(_("没有这项委托。"))
    if found.state == state:
        return found  # Pressed twice.
    if found.state not in _FROM[state]:
        raise Conflict(_("这项委托%(state)s，不能再改。") % {"state": found.get_state_display()})
    if found.ends < today():
        raise Conflict(_("这项委托已经到期。"))
    found.state, found.answered_at = state, timezone.now()
    found.save(update_fields=["state", "answered_at"])
    _record(found, by)
    return found


def _record(one: Delegation, by: Actor) -> None:
    record(
        Event.DELEGATION_CHANGED,
        by=by,
        target=Target("delegation", one.id, str(one)),
        detail={
            "state": str(one.state),
            "giver": str(one.giver_id),
            "stand_in": str(one.stand_in_id),
            "flow": one.flow_key,
            "starts": one.starts.isoformat(),
            "ends": one.ends.isoformat(),
        },
    )

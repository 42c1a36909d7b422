"""Begins, changes and ends appointments."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound
from saas.organisation import changes
from saas.organisation.models import Appointment, Person, Post
from saas.organisation.rules import Checked


@transaction.atomic
def appointment_begin(
    *,
    person_id: UUID,
    post_id: UUID,
    starts: date,
    by: Actor,
    ends: date | None = None,
    acting: bool = False,
    primary: bool = False,
) -> Appointment:
    """Appoint a person to a post from `starts` to `ends`, both days included.

    The first appointment of a person becomes the primary one by itself; a new primary one replaces the old.

    Raises:
        Invalid: the dates are out of order, or person or post are unknown or out of use.
        Conflict: the person holds the post in that time already.
    """
    checked = Checked()
    checked.period("starts", starts, "ends", ends)
    person = Person.objects.select_for_update(of=("self",)).filter(id=person_id, active=True).first()
    post = Post.objects.select_related("unit").filter(id=post_id, active=True).first()
    if person is None:
        checked.refuse("person", _("人员不存在或已停用"))
    if post is None:
        checked.refuse("post", _("岗位不存在或已停用"))
    checked.raise_if_wrong()
    _refuse_overlap(person_id=person_id, post_id=post_id, starts=starts, ends=ends, besides=None)
    others = Appointment.objects.filter(person_id=person_id, primary=True)
    if primary:
        others.update(primary=False)
    elif not others.exists():
        primary = True
    appointment = Appointment.objects.create(
        person_id=person_id, post_id=post_id, starts=starts, ends=ends, acting=acting, primary=primary
    )
    _record(appointment, by, "begun")
    changes.announce(by=by, posts={post_id}, people={person_id})
    return appointment


@transaction.atomic
def appointment_change(
    *, appointment_id: UUID, starts: date, ends: date | None, acting: bool, primary: bool, by: Actor
) -> Appointment:
    """Correct the dates of an appointment, or whether it is acting or primary.

    Raises:
        NotFound: no such appointment.
        Invalid: the dates are out of order.
        Conflict: the person holds the post in that time by another appointment.
    """
    appointment = _locked(appointment_id)
    checked = Checked()
    checked.period("starts", starts, "ends", ends)
    checked.raise_if_wrong()
    _refuse_overlap(
        person_id=appointment.person_id, post_id=appointment.post_id, starts=starts, ends=ends, besides=appointment_id
    )
    if primary:
        Appointment.objects.filter(person_id=appointment.person_id, primary=True).exclude(id=appointment_id).update(
            primary=False
        )
    appointment.starts, appointment.ends, appointment.acting, appointment.primary = starts, ends, acting, primary
    appointment.save(update_fields=["starts", "ends", "acting", "primary"])
    _record(appointment, by, "changed")
    changes.announce(by=by, posts={appointment.post_id}, people={appointment.person_id})
    return appointment


@transaction.atomic
def appointment_end(*, appointment_id: UUID, ends: date, by: Actor) -> Appointment:
    """Say on which day an appointment ends; that day is still in it.

    Raises:
        NotFound: no such appointment.
        Invalid: the day is before the appointment begins.
        Conflict: it has ended before that day already.
    """
    appointment = _locked(appointment_id)
    if ends < appointment.starts:
        message = _("结束日期不能早于开始日期")
        raise Invalid(message, fields={"ends": message})
    if appointment.ends is not None and appointment.ends < ends:
        raise Conflict(_("此任职在该日之前已经结束。"), code="appointment.ended")
    appointment.ends = ends
    appointment.save(update_fields=["ends"])
    _record(appointment, by, "ended")
    changes.announce(by=by, posts={appointment.post_id}, people={appointment.person_id})
    return appointment


def _locked(appointment_id: UUID) -> Appointment:
    found = Appointment.objects.filter(id=appointment_id).values_list("person_id", flat=True).first()
    if found is None:
        raise NotFound(_("没有这条任职。"))
    # The person's row is what all writers of their appointments lock.
    Person.objects.select_for_update(of=("self",)).get(id=found)
    return Appointment.objects.select_related("person", "post").get(id=appointment_id)


def _refuse_overlap(*, person_id: UUID, post_id: UUID, starts: date, ends: date | None, besides: UUID | None) -> None:
    same = Appointment.objects.filter(Q(ends__isnull=True) | Q(ends__gte=starts), person_id=person_id, post_id=post_id)
    if ends is not None:
        same = same.filter(starts__lte=ends)
    if besides is not None:
        same = same.exclude(id=besides)
    if same.exists():
        raise Conflict(
            _("此人在这段时间已任此岗位。"), code="appointment.overlap", fields={"starts": _("与已有任职的日期重叠")}
        )


def _record(appointment: Appointment, by: Actor, act: str) -> None:
    record(
        Event.APPOINTMENT_CHANGED,
        by=by,
        target=Target("appointment", appointment.id, f"{appointment.person.name} {appointment.post.name}"),
        detail={
            "act": act,
            "starts": appointment.starts.isoformat(),
            "ends": appointment.ends.isoformat() if appointment.ends else "",
            "acting": appointment.acting,
            "primary": appointment.primary,
        },
    )

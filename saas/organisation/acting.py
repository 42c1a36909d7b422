"""Answers who a signed-in user is and in which post they act, with one query."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _

from saas.accounts.actors import plain
from saas.accounts.models import User
from saas.core.actors import Actor
from saas.core.errors import NotFound
from saas.core.navigation import PostChoice
from saas.organisation.models import Appointment

SESSION_KEY = "appointment"


def actor_for(user: User, request: HttpRequest | None) -> Actor:
    """The user as an actor: in the appointment chosen at the top bar, else in the primary one.

    A choice that has ended meanwhile is ignored. A user without a current appointment acts without a post.
    """
    base = plain(user, request)
    session = getattr(request, "session", None)
    chosen = session.get(SESSION_KEY) if session is not None else None
    rows = list(
        Appointment.objects.current()
        .filter(person__user_id=user.pk, post__active=True)
        .select_related("person", "post__unit")
        .order_by("-primary", "acting", "post__position", "starts")
    )
    if request is not None:
        # The top bar's choice of a post asks no second time.
        request.own_appointments = rows  # type: ignore[attr-defined]
    if not rows:
        return base
    acting = next((row for row in rows if str(row.id) == chosen), rows[0])
    return replace(as_actor(acting), user_id=user.pk, ip=base.ip, request_id=base.request_id)


def as_actor(appointment: Appointment) -> Actor:
    """An appointment (person, post and unit loaded) as the one who acts."""
    return Actor(
        user_id=appointment.person.user_id,
        user_name=appointment.person.name,
        person_id=appointment.person_id,
        appointment_id=appointment.id,
        post_id=appointment.post_id,
        post_name=appointment.post.name,
        unit_id=appointment.post.unit_id,
        unit_name=appointment.post.unit.name,
    )


def actor_of(appointment_id: UUID) -> Actor:
    """Whoever acted in an appointment, for jobs that carry its id.

    Raises:
        NotFound: there is no such appointment, or it has ended since.
    """
    row = Appointment.objects.current().filter(id=appointment_id).select_related("person", "post__unit").first()
    if row is None:
        raise NotFound(_("这项任职已经结束，不能再以它办理。"))
    return as_actor(row)


def choices(request: HttpRequest) -> list[PostChoice]:
    """The posts the reader may act in, from what the actor's one query found."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    rows: list[Appointment] = getattr(request, "own_appointments", [])
    return [
        PostChoice(str(row.id), f"{row.post.unit.label} {row.post.name}", row.id == actor.appointment_id)
        for row in rows
    ]


def may_act_in(user_id: UUID, appointment_id: UUID) -> bool:
    """Whether an appointment is the user's own and in force today."""
    return Appointment.objects.current().filter(id=appointment_id, person__user_id=user_id, post__active=True).exists()


def choose(request: HttpRequest, appointment_id: UUID) -> None:
    """Act in another of one's appointments from now on in this session."""
    request.session[SESSION_KEY] = str(appointment_id)

"""Answers who a signed-in user is and in which post they act, with one query."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from saas.accounts.models import User
from saas.core.actors import Actor
from saas.organisation.models import Appointment

SESSION_KEY = "appointment"


def actor_for(user: User, request: HttpRequest | None = None) -> Actor:
    """The user as an actor: in the appointment chosen at the top bar, else in the primary one.

    A choice that has ended meanwhile is ignored. A user without a current appointment acts without a post.
    """
    chosen = request.session.get(SESSION_KEY) if request is not None and hasattr(request, "session") else None
    rows = list(
        Appointment.objects.current()
        .filter(person__user_id=user.pk, post__active=True)
        .select_related("person", "post__unit")
        .order_by("-primary", "acting", "post__position", "starts")
    )
    if not rows:
        return Actor(user_id=user.pk, user_name=str(user))
    acting = next((row for row in rows if str(row.id) == chosen), rows[0])
    return as_actor(acting)


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


def chosen_appointment(request: HttpRequest) -> UUID | None:
    """What the session remembers, or None."""
    raw = request.session.get(SESSION_KEY)
    return UUID(raw) if raw else None

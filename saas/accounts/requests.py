"""Typed answers to "who asks": views behind the access rule read the account and the actor here."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from saas.accounts.models import User
from saas.core.actors import Actor


def user_of(request: HttpRequest) -> User:
    """The signed-in account; the route's access rule has made sure that there is one."""
    return cast(User, request.user)


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request, in which post."""
    return cast(Actor, request.actor)  # type: ignore[attr-defined]

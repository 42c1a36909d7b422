"""Turns a signed-in account into the actor of its acts; the layer that knows posts registers how."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpRequest

from saas.core.actors import Actor

if TYPE_CHECKING:
    from saas.accounts.models import User

Resolver = Callable[["User", "HttpRequest | None"], Actor]
_resolvers: list[Resolver] = []


def register_resolver(resolver: Resolver) -> None:
    """Name the function that knows in which appointment an account acts; called once, from `AppConfig.ready()`."""
    _resolvers[:] = [resolver]


def plain(user: User, request: HttpRequest | None) -> Actor:
    """An account without any appointment: administrators, the extranet, management."""
    return Actor(
        user_id=user.pk, user_name=user.name, ip=client_ip(request), request_id=getattr(request, "id", "") or ""
    )


def resolve(user: User, request: HttpRequest | None) -> Actor:
    """The actor `user` is in `request` (None outside a request).

    An administrator acts without a post whatever the organisation says: the three administrators do no office work.
    """
    if user.administrator or not _resolvers:
        return plain(user, request)
    return _resolvers[0](user, request)


def nobody(request: HttpRequest) -> Actor:
    """Whoever is not signed in."""
    return Actor(user_id=None, user_name="", ip=client_ip(request), request_id=getattr(request, "id", "") or "")


def client_ip(request: HttpRequest | None) -> str:
    """The address the request came from, as the proxy in front of us (and only that) established it."""
    return str(request.META.get("REMOTE_ADDR", "")) if request is not None else ""

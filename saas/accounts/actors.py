"""Turns a signed-in account into the actor of its acts; the layer that knows posts registers how."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from django.http import HttpRequest

from saas.core.actors import Actor
from saas.env import env

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
    """The address a request came from.

    Behind our own load balancers (TRUSTED_PROXIES, and only behind those) it is the last address of
    X-Forwarded-For that is not one of them: what stands before it anybody can have written.
    """
    if request is None:
        return ""
    address = str(request.META.get("REMOTE_ADDR", ""))
    for forwarded in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not _is_ours(address) or not _is_address(forwarded.strip()):
            break
        address = forwarded.strip()
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_ours(text: str) -> bool:
    return _is_address(text) and any(ip_address(text) in network for network in env.trusted_proxies)

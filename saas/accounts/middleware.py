"""Gives every request its actor and ends sessions that were idle or lived too long."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from saas.accounts import known_browsers
from saas.accounts.actors import nobody
from saas.accounts.signing_in import SEEN, STARTED
from saas.core.actors import Actor

# The time of the last request is written at most this often, so that reading pages writes no rows.
SEEN_EVERY_SECONDS = 60


class ActorMiddleware:
    """Binds the account to its request and sets `request.actor`, both only when somebody asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        inner = request.user

        def bound() -> object:
            if inner.is_authenticated:
                if _is_over(request):
                    # `logout` asks for the request's user: without this it would ask this very function again.
                    request.user = inner
                    logout(request)
                    return request.user
                inner.request = request
            return inner

        def actor() -> Actor:
            user = request.user
            return user.actor if user.is_authenticated else nobody(request)

        request.user = SimpleLazyObject(bound)  # type: ignore[assignment]
        request.actor = SimpleLazyObject(actor)  # type: ignore[attr-defined]
        response = self.get_response(request)
        known_browsers.mark(request, response)
        return response


def _is_over(request: HttpRequest) -> bool:
    """Whether the session has idled or lived out its time; marks it as seen when not."""
    session = request.session
    now = int(time.time())
    started, seen = session.get(STARTED), session.get(SEEN)
    if not isinstance(started, int) or not isinstance(seen, int):
        # A session that was opened by Django's own `login`: its clock starts with its first request.
        session[STARTED] = session[SEEN] = now
        return False
    if now - seen > settings.IDLE_MINUTES * 60 or now - started > settings.SESSION_COOKIE_AGE:
        return True
    if now - seen >= SEEN_EVERY_SECONDS:
        session[SEEN] = now
    return False

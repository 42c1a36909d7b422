"""Proves a password, counts failures, opens and closes sessions; all of it in the audit trail."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login as django_login
from django.contrib.auth import logout as django_logout
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from saas.accounts.actors import nobody
from saas.accounts.known_browsers import is_shut_out, remember
from saas.accounts.models import User
from saas.core.actors import Actor
from saas.core.audit.events import Event
from saas.core.audit.services import Target, record

BACKEND = "saas.accounts.backends.AccountBackend"
# Keys in the session: when it was opened and when it was last used (seconds since 1970).
STARTED = "started"
SEEN = "seen"


def account_target(user: User) -> Target:
    """An account as the audit trail names it."""
    return Target("account", user.pk, f"{user.name}（{user.username}）")


def check_password(*, username: str, password: str, request: HttpRequest | None) -> User | None:
    """Prove a user name and password.

    Unknown, disabled and locked accounts and wrong passwords take the same time and give the same answer, so nobody
    learns which accounts exist. The failures of an account are counted with it; those of unknown names are only
    recorded, without the name (people type passwords there).

    Args:
        username: as typed.
        password: in clear.
        request: where the try came from.

    Returns:
        the account, or None.
    """
    by = _stranger(request)
    user = User.objects.filter(username=username.strip().lower()).first()
    if user is None:
        make_password(password)
        record(Event.SIGN_IN_FAILED, by=by, detail={"reason": "unknown"})
        return None
    locked = is_shut_out(user, request)
    if locked or not user.is_active:
        make_password(password)
        _refused(user, by, reason="locked" if locked else "disabled")
        return None
    if not user.check_password(password):
        count_failure(user.pk, reason="password", request=request)
        return None
    # Tries that began before the fifth failure was counted must not slip through behind it.
    if not user.is_locked and User.objects.get(pk=user.pk).is_locked:
        _refused(user, by, reason="locked")
        return None
    return user


def _refused(user: User, by: Actor, *, reason: str) -> None:
    record(Event.SIGN_IN_FAILED, by=by, target=account_target(user), detail={"reason": reason})


def count_failure(user_id: UUID, *, reason: str, request: HttpRequest | None) -> None:
    """Count one failed proof (password or second factor); the fifth closes the account for a quarter of an hour."""
    by = _stranger(request)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        user.failed_count += 1
        record(
            Event.SIGN_IN_FAILED,
            by=by,
            target=account_target(user),
            detail={"reason": reason, "failures": user.failed_count},
        )
        if user.failed_count >= settings.LOCK_AFTER_FAILURES:
            user.failed_count = 0
            user.locked_until = timezone.now() + timedelta(minutes=settings.LOCK_MINUTES)
            record(
                Event.LOCKED,
                by=by,
                target=account_target(user),
                detail={"until": user.locked_until.isoformat(timespec="seconds")},
            )
        user.save(update_fields=["failed_count", "locked_until"])


def open_session(request: HttpRequest, user: User) -> None:
    """Start a session for an account that has shown all its factors."""
    from allauth.account.internal.flows.login import get_authentication_records

    methods = [str(item.get("type") or item.get("method")) for item in get_authentication_records(request, user)]
    user.backend = BACKEND
    user.request = request
    with transaction.atomic():
        django_login(request, user)
        now = int(time.time())
        request.session[STARTED] = request.session[SEEN] = now
        User.objects.filter(pk=user.pk).update(failed_count=0, locked_until=None, last_seen=timezone.now())
        record(Event.SIGNED_IN, by=user.actor, target=account_target(user), detail={"methods": methods})
    remember(request, user)


def close_session(request: HttpRequest) -> None:
    """End the session of this request."""
    from allauth.usersessions.models import UserSession

    user = request.user
    with transaction.atomic():
        if user.is_authenticated:
            UserSession.objects.filter(session_key=request.session.session_key or "").delete()
            record(Event.SIGNED_OUT, by=user.actor, target=account_target(user))
        django_logout(request)


def _stranger(request: HttpRequest | None) -> Actor:
    return nobody(request) if request is not None else Actor(user_id=None, user_name="")

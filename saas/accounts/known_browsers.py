"""Browsers an account has signed in from: a lock that strangers bring about does not shut out its owner there.

Without this, anybody who knows the administrators' names could keep all three locked for ever by wrong passwords.
The way is OWASP's "device cookie": a signed cookie names the account; each has few tries of its own.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from saas.core.cache import hit
from saas.core.tenancy import current_tenant

if TYPE_CHECKING:
    from saas.accounts.models import User

COOKIE = "__Host-browser"
LIFE = timedelta(days=180)
_SALT = "accounts.known_browser"
_TO_SET = "known_browser_cookie"


def remember(request: HttpRequest, user: User) -> None:
    """Let the answer to this request mark the browser as one the account has shown all its factors in."""
    content = [current_tenant().schema, str(user.pk), secrets.token_hex(8)]
    setattr(request, _TO_SET, signing.dumps(content, salt=_SALT))


def mark(request: HttpRequest, response: HttpResponse) -> None:
    """Set the cookie when `remember` asked for it."""
    value = getattr(request, _TO_SET, "")
    if value:
        age = int(LIFE.total_seconds())
        response.set_cookie(COOKIE, value, max_age=age, secure=True, httponly=True, samesite="Lax")


def is_shut_out(user: User, request: HttpRequest | None) -> bool:
    """Whether `user` is locked for whoever sends this request; costs a statement only for a known browser.

    Args:
        user: the account somebody claims to be.
        request: the try; None counts as a stranger's.
    """
    return user.is_locked and (request is None or not _may_still_try(user, request))


def _may_still_try(user: User, request: HttpRequest) -> bool:
    try:
        schema, account, nonce = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFE)
    except (signing.BadSignature, ValueError, TypeError):
        return False
    if (schema, account) != (current_tenant().schema, str(user.pk)):
        return False
    window = timedelta(minutes=settings.LOCK_MINUTES)
    return hit(f"known-browser:{nonce}", window=window) <= settings.LOCK_AFTER_FAILURES

"""Slows down guessing: counts tries in the tenant's cache, one statement a try."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest
from django.utils.translation import gettext as _

from saas.accounts.actors import client_ip
from saas.core.cache import hit
from saas.core.errors import Throttled

_MINUTE = timedelta(minutes=1)


def require_calm(request: HttpRequest, what: str, *, per_minute: int) -> None:
    """Count one try of `what` from the request's address.

    Raises:
        Throttled: there were more than `per_minute` within a minute.
    """
    if hit(f"{what}:{client_ip(request)}", window=_MINUTE) > per_minute:
        raise Throttled(_("尝试次数过多，请一分钟后再试。"))

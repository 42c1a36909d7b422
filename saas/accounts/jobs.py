"""What happens to accounts by the clock."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from saas.core import cache
from saas.core.jobs import periodic


@periodic(every=timedelta(hours=1))
def expired_forgotten() -> None:
    """Take out expired sessions, the list entries of sessions that ended, and expired cache rows."""
    from allauth.usersessions.models import UserSession

    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(alive)).delete()
    cache.purge()

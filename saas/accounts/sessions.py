"""Sessions that are worth nothing elsewhere: stored in the tenant's schema, signed under its name and zone."""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from saas.core.tenancy import current_tenant


class SessionStore(DatabaseStore):
    """Django's database sessions with the tenant and the zone in the signature's salt.

    A row copied or restored into another bureau's schema, or a cookie sent to another host, opens nothing.
    """

    @property
    def key_salt(self) -> str:
        """The salt of the signature over the session's content."""
        return f"yunshu.session.{settings.ZONE}.{current_tenant().schema}"

"""The cache: an unlogged table in the tenant's own schema, so that nothing cached is ever another bureau's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache.backends.db import DatabaseCache
from django.db import connection

from saas.core.tenancy import current_tenant

TABLE = "core_cache"


def tenant_key(key: str, key_prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION: zone and tenant stand in every key.

    The schema already separates tenants; the name in the key keeps them apart in a restored or shared table too.

    Raises:
        NoTenant: outside a tenant's request or job; nothing is cached for nobody.
    """
    return f"{settings.ZONE}:{current_tenant().schema}:{key_prefix}:{version}:{key}"


class TenantDatabaseCache(DatabaseCache):
    """Django's database cache, with a counter that is right under concurrency."""

    def hit(self, key: str, *, window: timedelta) -> int:
        """Count one event and say how many there were in the current window, this one included.

        One statement: concurrent callers never read the same number. The window starts with its first event.

        Args:
            key: what is counted, e.g. ``sign-in:10.0.0.7``.
            window: how long events count together.
        """
        full_key = self.make_and_validate_key(f"hits:{key}")
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                INSERT INTO {TABLE} AS c (cache_key, value, expires)
                VALUES (%s, '1', now() + %s)
                ON CONFLICT (cache_key) DO UPDATE SET
                    value = CASE WHEN c.expires > now() THEN (c.value::bigint + 1)::text ELSE '1' END,
                    expires = CASE WHEN c.expires > now() THEN c.expires ELSE excluded.expires END
                RETURNING value::bigint
                """,  # noqa: S608 - the table's name is a constant
                [full_key, window],
            )
            row: tuple[Any, ...] | None = cursor.fetchone()
        return int(row[0]) if row else 0


def hit(key: str, *, window: timedelta) -> int:
    """Count one event in the current tenant; see `TenantDatabaseCache.hit`."""
    from django.core.cache import caches

    backend = caches["default"]
    if not isinstance(backend, TenantDatabaseCache):
        msg = "the default cache must be TenantDatabaseCache"
        raise TypeError(msg)
    return backend.hit(key, window=window)

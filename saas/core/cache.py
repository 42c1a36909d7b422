"""The cache: an unlogged table in the tenant's own schema, so that nothing cached is ever another bureau's."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connection

from saas.core.tenancy import current_tenant

# One write in so many takes the expired rows out.
_PURGE_ONE_IN = 200


def tenant_key(key: str, key_prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION: zone and tenant stand in every key.

    The schema already separates tenants; the name in the key keeps them apart in a restored or shared table too.

    Raises:
        NoTenant: outside a tenant's request or job; nothing is cached for nobody.
    """
    return f"{settings.ZONE}:{current_tenant().schema}:{key_prefix}:{version}:{key}"


class TenantDatabaseCache(BaseCache):
    """A cache of JSON values with one statement for each operation.

    Not Django's own database back end: that one counts all rows at every write, and unpickles what it reads, so
    that whoever can write a row can run code.
    """

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """The value of `key`, or `default`."""
        return self.get_many([key], version=version).get(key, default)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        """The values of those `keys` that are there."""
        names = {self.make_and_validate_key(key, version=version): key for key in keys}
        rows = _run(
            "SELECT cache_key, value FROM core_cache WHERE cache_key = ANY(%s) AND expires > now()", [list(names)]
        )
        return {names[name]: json.loads(value) for name, value in rows}

    def has_key(self, key: str, version: int | None = None) -> bool:
        """Whether `key` has a value."""
        return bool(self.get_many([key], version=version))

    def set(self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Keep a JSON `value` for `timeout` seconds (None: for good)."""
        name = self.make_and_validate_key(key, version=version)
        _run(
            """INSERT INTO core_cache (cache_key, value, expires) VALUES (%s, %s, %s)
            ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires""",
            [name, json.dumps(value), self._expires(timeout)],
        )
        if random.randrange(_PURGE_ONE_IN) == 0:  # noqa: S311 - housekeeping, not a secret
            purge()

    def add(self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keep `value` if `key` has none; of many callers at once, one is told True."""
        name = self.make_and_validate_key(key, version=version)
        rows = _run(
            """INSERT INTO core_cache AS c (cache_key, value, expires) VALUES (%s, %s, %s)
            ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires
            WHERE c.expires <= now() RETURNING 1""",
            [name, json.dumps(value), self._expires(timeout)],
        )
        return bool(rows)

    def touch(self, key: str, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keep `key` for longer."""
        name = self.make_and_validate_key(key, version=version)
        rows = _run(
            "UPDATE core_cache SET expires = %s WHERE cache_key = %s AND expires > now() RETURNING 1",
            [self._expires(timeout), name],
        )
        return bool(rows)

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget `key`."""
        name = self.make_and_validate_key(key, version=version)
        return bool(_run("DELETE FROM core_cache WHERE cache_key = %s RETURNING 1", [name]))

    def clear(self) -> None:
        """Forget everything this tenant keeps."""
        _run("DELETE FROM core_cache WHERE cache_key <> %s RETURNING 1", [""])

    def hit(self, key: str, *, window: timedelta) -> int:
        """Count one event and say how many there were in the current window, this one included.

        One statement: concurrent callers never read the same number. The window starts with its first event.

        Args:
            key: what is counted, e.g. ``sign-in:10.0.0.7``.
            window: how long events count together.
        """
        rows = _run(
            """
            INSERT INTO core_cache AS c (cache_key, value, expires) VALUES (%s, '1', now() + %s)
            ON CONFLICT (cache_key) DO UPDATE SET
                value = CASE WHEN c.expires > now() THEN (c.value::bigint + 1)::text ELSE '1' END,
                expires = CASE WHEN c.expires > now() THEN c.expires ELSE excluded.expires END
            RETURNING value
            """,
            [self.make_and_validate_key(f"hits:{key}"), window],
        )
        return int(rows[0][0])

    def _expires(self, timeout: float | None) -> datetime:
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        if timeout is None:
            return datetime.max.replace(tzinfo=UTC)
        return datetime.now(UTC) + timedelta(seconds=timeout)


def hit(key: str, *, window: timedelta) -> int:
    """Count one event in the current tenant; see `TenantDatabaseCache.hit`."""
    from django.core.cache import caches

    backend = caches["default"]
    if not isinstance(backend, TenantDatabaseCache):
        message = "the default cache must be TenantDatabaseCache"
        raise TypeError(message)
    return backend.hit(key, window=window)


def purge() -> None:
    """Take the expired rows of the current tenant out."""
    _run("DELETE FROM core_cache WHERE expires <= %s RETURNING 1", [datetime.now(UTC)])


def _run(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

"""Gathers what a cell tells management: numbers and error classes, never a bureau's content."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.conf import settings
from django.utils import timezone

from saas.core import keys
from tenants.database.owner import owner_connection
from tenants.models import State

Fact = dict[str, Any]
FAILED_JOBS = 100


def gather() -> list[Fact]:
    """Everything management is told at regular times.

    Raises:
        psycopg.Error: the cell's database is away.
    """
    with owner_connection() as connection:
        started = time.perf_counter()
        connection.execute("SELECT 1")
        database_ms = _ms(started)
        return [
            {"kind": "health", "value": {"database_ms": database_ms, **_vault(), **_storage()}},
            {"kind": "jobs", "value": _jobs(connection)},
            {"kind": "failed_jobs", "value": _failed_jobs(connection)},
            *_bureaus(connection),
        ]


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)


def _vault() -> dict[str, Any]:
    started = time.perf_counter()
    state = keys.health()
    return {"vault": str(getattr(state, "value", state)), "vault_ms": _ms(started)}


def _storage() -> dict[str, Any]:
    return {"storage_ms": _timed(_touch_storage), "at": timezone.now().isoformat(), "zone": str(settings.ZONE)}


def _touch_storage() -> None:
    from saas.core.storage.backends import backend

    backend().exists("health/none")


def _timed(action: Callable[[], None]) -> float | None:
    """Milliseconds `action` takes, None when it fails."""
    started = time.perf_counter()
    try:
        action()
    except Exception:
        return None
    return _ms(started)


def _jobs(connection: psycopg.Connection[Any]) -> dict[str, int]:
    rows = connection.execute("SELECT status::text, count(*) FROM cell.procrastinate_jobs GROUP BY 1").fetchall()
    return {status: count for status, count in rows if status in {"todo", "doing", "failed"}}


def _failed_jobs(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Class of the error only: its message may quote what a bureau wrote."""
    rows = connection.execute(
        "SELECT j.id, j.task_name, split_part(j.last_error, ':', 1), j.attempts, coalesce(b.code, '') "
        "FROM cell.procrastinate_jobs j LEFT JOIN tenants_bureau b ON b.schema_name = j.tenant "
        "WHERE j.status = 'failed' ORDER BY j.id DESC LIMIT %s",
        [FAILED_JOBS],
    ).fetchall()
    names = ("id", "task", "error", "attempts", "bureau")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _bureaus(connection: psycopg.Connection[Any]) -> list[Fact]:
    rows = connection.execute(
        "SELECT code, schema_name, state, migration_error, migrated_at FROM tenants_bureau "
        "WHERE state <> %s ORDER BY code",
        [State.CREATING.value],
    ).fetchall()
    facts: list[Fact] = [{"kind": "bureaus", "value": {"count": len(rows)}}]
    if not rows:
        return facts
    union = " UNION ALL ".join(
        f"SELECT count(*) FILTER (WHERE is_active) FROM {row[1]}.accounts_user"  # noqa: S608 - names from our registry
        for row in rows
    )
    users = [count for (count,) in connection.execute(union).fetchall()]
    for (code, _schema, state, error, migrated_at), count in zip(rows, users, strict=True):
        value = {
            "state": state,
            "users": count,
            "migration_error": error.partition("\n")[0],
            "migrated_at": migrated_at.isoformat() if migrated_at else "",
        }
        facts.append({"kind": "bureau", "bureau": code, "value": value})
    return facts

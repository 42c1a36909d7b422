"""The pool's options, in a module that imports no Django: settings read it before any app exists."""

from __future__ import annotations

from typing import Any

import psycopg

# A backend keeps megabytes of catalog for every schema it has touched; a short life bounds that.
MAX_LIFETIME_SECONDS = 900.0
MAX_IDLE_SECONDS = 60.0
WAIT_SECONDS = 10.0


def forget_everything(connection: psycopg.Connection[Any]) -> None:
    """Bring a returned connection back to its login state: no role, path, lock, portal or plan survives."""
    connection.autocommit = True
    connection.execute("DISCARD ALL")


def pool_options(*, max_size: int = 16) -> dict[str, object]:
    """Return what a pooled database needs in Django's OPTIONS.

    Args:
        max_size: connections of one process at most; more threads than that wait.
    """
    return {
        "pool": {
            "min_size": 1,
            "max_size": max_size,
            "max_lifetime": MAX_LIFETIME_SECONDS,
            "max_idle": MAX_IDLE_SECONDS,
            "timeout": WAIT_SECONDS,
            "reset": forget_everything,
        }
    }

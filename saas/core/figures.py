"""Figures of what waits, asked together: one query a request, however many entries of the menu show one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.http import HttpRequest

from saas.core.access import Permission

_KEPT = "_figures"


@dataclass(frozen=True, slots=True)
class Figure:
    """Something to count.

    Attributes:
        key: stable name.
        permission: who is told; for nobody else is it counted.
        sql: one SELECT of one number, without parameters; an index must answer it.
    """

    key: str
    permission: Permission
    sql: str


_FIGURES: dict[str, Figure] = {}


def register(figure: Figure) -> None:
    """Add a figure; the same key replaces it. Called from `AppConfig.ready()`."""
    _FIGURES[figure.key] = figure


def figure(request: HttpRequest, key: str) -> int:
    """One figure for this reader; zero for whoever is not told. The first one asked for brings them all."""
    kept: dict[str, int] | None = getattr(request, _KEPT, None)
    if kept is None:
        kept = _counted(request)
        setattr(request, _KEPT, kept)
    return kept.get(key, 0)


def _counted(request: HttpRequest) -> dict[str, int]:
    user = request.user
    told = [one for one in _FIGURES.values() if user.has_permission(one.permission)]  # type: ignore[union-attr]
    if not told:
        return {}
    with connection.cursor() as cursor:
        # Only what code has registered: nothing a reader sends comes near this text.
        cursor.execute("SELECT " + ", ".join(f"({one.sql})" for one in told))
        row = cursor.fetchone()
    return {one.key: count for one, count in zip(told, row, strict=True)}

"""What the consoles and the command line read of the directory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from tenants.directory.models import Cell, Command, DirectoryBureau, Fact

# An agent reports every second; after this it is missing.
MISSING_AFTER = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class CellHealth:
    """How a cell is, as it last said, and whether it still says anything."""

    cell: Cell
    reachable: bool
    health: dict[str, Any]
    jobs: dict[str, Any]
    failed_jobs: list[dict[str, Any]]
    at: datetime | None


def bureaus() -> QuerySet[DirectoryBureau]:
    """All bureaus, by code."""
    return DirectoryBureau.objects.all()


def bureau_facts(code: str) -> list[Fact]:
    """What cells last said about one bureau."""
    return list(Fact.objects.filter(bureau_code=code).select_related("cell").order_by("kind", "cell__zone"))


def facts_by_bureau() -> dict[str, dict[str, Any]]:
    """Bureau code → the intranet's last facts about it (users, migrations), in one query."""
    rows = Fact.objects.filter(kind="bureau", cell__zone="intranet").exclude(bureau_code="")
    return {row.bureau_code: dict(row.value) for row in rows}


def cells() -> QuerySet[Cell]:
    """All cells, by zone and name."""
    return Cell.objects.all()


def commands(*, bureau: DirectoryBureau | None = None, limit: int = 100) -> list[Command]:
    """The newest commands first.

    Args:
        bureau: only those about it.
        limit: at most so many.
    """
    found = Command.objects.select_related("cell", "bureau")
    if bureau is not None:
        found = found.filter(bureau=bureau)
    return list(found.order_by("-issued_at", "-sequence")[:limit])


def health() -> list[CellHealth]:
    """Every cell with what it last said about itself, in two queries."""
    last: dict[Any, dict[str, Fact]] = {}
    for fact in Fact.objects.filter(bureau_code=""):
        last.setdefault(fact.cell_id, {})[fact.kind] = fact
    now = timezone.now()
    result = []
    for cell in cells():
        facts = last.get(cell.id, {})
        own = facts.get("health")
        result.append(
            CellHealth(
                cell=cell,
                reachable=now - cell.last_seen_at < MISSING_AFTER,
                health=dict(own.value) if own else {},
                jobs=dict(facts["jobs"].value) if "jobs" in facts else {},
                failed_jobs=list(facts["failed_jobs"].value) if "failed_jobs" in facts else [],
                at=own.at if own else None,
            )
        )
    return result

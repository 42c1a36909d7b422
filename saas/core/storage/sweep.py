"""Removes stored files that no row names: what a failed act, a killed process or a lost transaction left behind.

A file is stored before the row that names it, so a file without a row is no error until it is a day old. Only files
under a prefix whose owner has said how to ask for names are looked at: what nobody claims is left alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from saas.core.actors import SYSTEM
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.metrics import FILES_SWEPT, FILES_SWEPT_BYTES
from saas.core.storage.backends import Listed, backend
from saas.core.tenancy import current_tenant

OLDEST_UNNAMED = timedelta(days=1)
_BATCH = 500
_NAMES_IN_RECORD = 50
Named = Callable[[Collection[str]], set[str]]
"""Which of these object names a row of the current tenant holds."""

_OWNERS: dict[str, tuple[Named, ...]] = {}


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed: how many files and their size as they lay there, in bytes."""

    files: int = 0
    size: int = 0


def claim(prefix: str, *named: Named) -> None:
    """Say who knows the files under a prefix; a file that none of them names is removed after a day.

    Args:
        prefix: the `name_prefix` they were stored with.
        named: every place that may hold such a name.
    """
    _OWNERS[prefix] = named


def column(model: type[models.Model], name: str) -> Named:
    """A column that holds object names, as a `Named`."""

    def found(names: Collection[str]) -> set[str]:
        manager: Any = model._default_manager
        return set(manager.filter(**{f"{name}__in": names}).values_list(name, flat=True))

    return found


def sweep(*, before: datetime | None = None) -> Swept:
    """Remove the current tenant's unnamed files; each batch is recorded before it goes. Safe to run again.

    Args:
        before: only files last written before this moment; a day ago unless told.

    Raises:
        Unavailable: the storage is away.
    """
    before = before or timezone.now() - OLDEST_UNNAMED
    swept = Swept()
    for prefix, owners in sorted(_OWNERS.items()):
        root = f"{current_tenant().schema}/{prefix}"
        old = (item for item in backend().listed(root) if item.changed_at < before)
        # Only what lies right under the prefix: another prefix may begin with this one.
        own = (item for item in old if item.name.rpartition("/")[0] == root)
        for batch in _batches(own):
            gone = _remove(batch, owners)
            swept = Swept(swept.files + gone.files, swept.size + gone.size)
    return swept


def _remove(batch: list[Listed], owners: Iterable[Named]) -> Swept:
    names = {item.name for item in batch}
    for named in owners:
        names -= named(names)
    unnamed = [item for item in batch if item.name in names]
    if not unnamed:
        return Swept()
    size = sum(item.size for item in unnamed)
    with transaction.atomic():
        record(
            Event.FILES_SWEPT,
            by=SYSTEM,
            target=Target("files", current_tenant().schema),
            detail={
                "files": len(unnamed),
                "bytes": size,
                "names": [item.name.partition("/")[2] for item in unnamed[:_NAMES_IN_RECORD]],
            },
        )
    for item in unnamed:
        backend().delete(item.name)
    FILES_SWEPT.inc(len(unnamed))
    FILES_SWEPT_BYTES.inc(size)
    return Swept(len(unnamed), size)


def _batches(items: Iterator[Listed]) -> Iterator[list[Listed]]:
    while batch := list(itertools.islice(items, _BATCH)):
        yield batch

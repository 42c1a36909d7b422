"""Shows how far an import is while its one transaction is still open."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self
from uuid import UUID

from django.db import connection

from saas.core.tenancy import current_tenant, directory
from saas.organisation.models import WorkbookImport

_EVERY_SECONDS = 0.5


class Progress:
    """Counts ticks; a thread with a connection of its own writes the count twice a second.

    The import itself is one transaction, so what it counts in its own connection nobody else could see.
    """

    def __init__(self, import_id: UUID, *, total: int) -> None:
        self._import_id = import_id
        self._total = total
        self._done = 0
        self._over = threading.Event()
        self._schema = current_tenant().schema
        self._thread = threading.Thread(target=self._run, name="import-progress", daemon=True)

    def tick(self) -> None:
        """One more piece of work is done."""
        self._done += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._over.wait(_EVERY_SECONDS):
                with directory().activate(self._schema):
                    WorkbookImport.objects.filter(id=self._import_id).update(done=self._done, total=self._total)
        finally:
            connection.close()

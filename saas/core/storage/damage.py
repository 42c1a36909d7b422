"""Keeps in the trail that a stored file was found changed: the error its reader gets is soon forgotten."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from django.db import connections

from saas.core import logs
from saas.core.actors import SYSTEM
from saas.core.tenancy import TenantRef, directory

logger = logging.getLogger(__name__)
_WAIT_SECONDS = 10.0


def note_damage(ref: TenantRef, name: str) -> None:
    """Record that a file is not what was stored.

    On a thread of its own, so on a connection of its own: the reader's transaction is about to be rolled back, or,
    while an answer is streamed, no bureau is active any more. A record that cannot be made is a line in the log.

    Args:
        ref: whose file it is.
        name: the stored object's.
    """
    request_id = logs.request_id.get()

    def note() -> None:
        from saas.core.audit import Event, record
        from saas.core.audit.services import Target

        try:
            with directory().activate(ref.schema):
                record(Event.FILE_DAMAGED, by=replace(SYSTEM, request_id=request_id), target=Target("file", name))
        except Exception:
            logger.exception("a damaged file could not be recorded")
        finally:
            connections.close_all()

    logger.error("a stored file is damaged", extra={"schema": ref.schema, "object": name})
    thread = threading.Thread(target=note, name="note-damage")
    thread.start()
    thread.join(_WAIT_SECONDS)

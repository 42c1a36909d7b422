"""The cached look-up of bureaus by host: read from the database once, dropped by NOTIFY when the registry changes."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from dataclasses import dataclass

import psycopg
from django.db import connections
from psycopg import sql

from saas.core.tenancy import TenantRef
from tenants.appearance import Appearance
from tenants.context import ActiveTenant, outside_tenants
from tenants.models import HostName, State

logger = logging.getLogger(__name__)

CHANNEL = "tenants_registry"
# Belt and braces: how long an entry may live when notices arrive, and when the listener is down.
LISTENING_SECONDS = 300.0
DEAF_SECONDS = 2.0
# An attacker can name any host: unknown ones are remembered apart from the known, and not without limit.
MOST_UNKNOWN = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """What a host name leads to."""

    active: ActiveTenant
    state: str
    appearance: Appearance

    @property
    def ref(self) -> TenantRef:
        """The bureau."""
        return self.active.ref


class HostCache:
    """Host name → bureau for this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[float, Entry]] = {}
        self._unknown: dict[str, float] = {}
        self._generation = 0
        self._pid = 0
        self.listening = False
        self._ending = threading.Event()

    def find(self, host: str) -> Entry | None:
        """The bureau at `host` (lower case, no port), None when there is none."""
        if self._pid != os.getpid():
            self._start_listening()
        found = self._entries.get(host)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        if self._unknown.get(host, 0.0) > time.monotonic():
            return None
        generation = self._generation
        entry = _read(host)
        with self._lock:
            # A notice that came while the row was read may have been about that row: do not keep it then.
            if generation == self._generation:
                until = time.monotonic() + (LISTENING_SECONDS if self.listening else DEAF_SECONDS)
                if entry is not None:
                    self._entries[host] = (until, entry)
                else:
                    if len(self._unknown) >= MOST_UNKNOWN:
                        self._unknown = {}
                    self._unknown[host] = until
        return entry

    def drop(self) -> None:
        """Forget everything that was read."""
        with self._lock:
            self._generation += 1
            self._entries, self._unknown = {}, {}

    def _start_listening(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            # A forked worker inherits neither the thread nor a usable connection.
            self._pid = os.getpid()
            self._entries, self._unknown = {}, {}
            self.listening = False
            atexit.register(self._ending.set)
            threading.Thread(target=self._listen, name="registry-notices", daemon=True).start()

    def _listen(self) -> None:
        while not self._ending.is_set():
            try:
                with psycopg.connect(_conninfo(), autocommit=True) as connection:
                    connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                    self.listening = True
                    self.drop()
                    for _notice in connection.notifies():
                        self.drop()
            except psycopg.Error:
                if self._ending.is_set():
                    return
                if self.listening:
                    logger.warning("the listener for registry changes lost its database; it tries again")
            finally:
                self.listening = False
                self.drop()
            self._ending.wait(1)


def _conninfo() -> str:
    params = connections["default"].get_connection_params()
    names = ("host", "port", "dbname", "user", "password")
    return psycopg.conninfo.make_conninfo(**{n: params[n] for n in names if params.get(n)})


def _read(host: str) -> Entry | None:
    with outside_tenants():
        row = HostName.objects.select_related("bureau").filter(host=host).first()
    if row is None or row.bureau.state == State.CREATING:
        return None
    bureau = row.bureau
    appearance = Appearance.read(name=bureau.shown_name, emblem=bureau.emblem, theme=bureau.theme)
    return Entry(ActiveTenant(bureau.ref), bureau.state, appearance)


hosts = HostCache()

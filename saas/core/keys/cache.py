"""Keeps a few unwrapped data keys for minutes, so reading one file twice asks Vault once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

_LIMIT = 512
_SECONDS = 300.0


class DataKeyCache:
    """A bounded, expiring map from (tenant, wrapped key, context) to the plain key; safe for threads."""

    def __init__(self, *, limit: int = _LIMIT, seconds: float = _SECONDS) -> None:
        self._limit = limit
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, bytes], tuple[float, bytes]] = OrderedDict()

    def get(self, schema: str, wrapped: str, context: bytes) -> bytes | None:
        """The plain key, if it is still kept."""
        key = (schema, wrapped, context)
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            until, plaintext = found
            if time.monotonic() >= until:
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
            return plaintext

    def put(self, schema: str, wrapped: str, context: bytes, plaintext: bytes) -> None:
        """Keep a plain key; the one unused longest gives way."""
        with self._lock:
            self._kept[(schema, wrapped, context)] = (time.monotonic() + self._seconds, plaintext)
            self._kept.move_to_end((schema, wrapped, context))
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)

    def forget(self, schema: str) -> None:
        """Drop all keys of a tenant."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == schema]:
                del self._kept[key]

    def clear(self) -> None:
        """Drop all keys."""
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)

"""Ids that sort by time, so the trail needs one index for both identity and order."""

from __future__ import annotations

import os
import time
import uuid
from datetime import datetime

_MILLISECONDS = 1000


def _compose(milliseconds: int, entropy: bytes) -> uuid.UUID:
    value = bytearray(milliseconds.to_bytes(6, "big") + entropy)
    value[6] = 0x70 | (value[6] & 0x0F)
    value[8] = 0x80 | (value[8] & 0x3F)
    return uuid.UUID(bytes=bytes(value))


def ordered_uuid() -> uuid.UUID:
    """A new UUID of version 7 (RFC 9562): 48 bits of milliseconds, the rest random."""
    return _compose(time.time_ns() // 1_000_000, os.urandom(10))


def first_of(moment: datetime) -> uuid.UUID:
    """The smallest id that `ordered_uuid` could give at `moment`; for ranges by date.

    Args:
        moment: an aware point in time.
    """
    return _compose(int(moment.timestamp() * _MILLISECONDS), bytes(10))

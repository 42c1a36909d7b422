"""What management and the cells' agents say to each other: canonical texts, their digests, the signed headers."""

from __future__ import annotations

import base64
import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from saas.env import Zone

COMMANDS_PATH = "/cell/v1/commands"
FACTS_PATH = "/cell/v1/facts"
# How far two machines' clocks may be apart, and how long a request's nonce is remembered (seconds).
CLOCK_SKEW_SECONDS = 60
CELL_HEADER = "X-Yunshu-Cell"
TIME_HEADER = "X-Yunshu-Time"
NONCE_HEADER = "X-Yunshu-Nonce"
SIGNATURE_HEADER = "X-Yunshu-Signature"


class Kind(enum.StrEnum):
    """What management may tell a cell to do; nothing else exists."""

    CREATE = "create"
    SUSPEND = "suspend"
    RESUME = "resume"
    MIGRATE = "migrate"
    RETRY_JOB = "retry_job"


class CommandState(enum.StrEnum):
    """How far a command is. The last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


FINAL = frozenset({CommandState.DONE, CommandState.FAILED, CommandState.REFUSED})


@dataclass(frozen=True, slots=True)
class CellName:
    """A cell: its zone and its name within it, written ``intranet/c1``."""

    zone: Zone
    name: str

    def __str__(self) -> str:
        return f"{self.zone}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> CellName:
        """Read ``zone/name``.

        Raises:
            ValueError: it is not of that form.
        """
        zone, slash, name = text.partition("/")
        if not slash or not name or len(name) > 20 or not name.replace("-", "").isalnum() or not name.isascii():
            message = "not a cell's name"
            raise ValueError(message)
        return cls(Zone(zone), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandText:
    """A command as it is signed."""

    id: UUID
    cell: CellName
    sequence: int
    kind: Kind
    payload: Mapping[str, Any]
    issued_at: datetime
    expires_at: datetime

    def canonical(self) -> str:
        """The one text of this command; the signature covers exactly these characters."""
        return canonical(
            {
                "id": str(self.id),
                "cell": str(self.cell),
                "sequence": self.sequence,
                "kind": self.kind.value,
                "payload": self.payload,
                "issued_at": self.issued_at.isoformat(),
                "expires_at": self.expires_at.isoformat(),
            }
        )

    @classmethod
    def parse(cls, text: str) -> CommandText:
        """Read a canonical text.

        Raises:
            ValueError: it is not a command, or not in canonical form.
        """
        try:
            raw = json.loads(text)
            parsed = cls(
                id=UUID(raw["id"]),
                cell=CellName.parse(raw["cell"]),
                sequence=int(raw["sequence"]),
                kind=Kind(raw["kind"]),
                payload=dict(raw["payload"]),
                issued_at=datetime.fromisoformat(raw["issued_at"]),
                expires_at=datetime.fromisoformat(raw["expires_at"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            message = "not a command"
            raise ValueError(message) from error
        if parsed.canonical() != text or parsed.issued_at.tzinfo is None or parsed.expires_at.tzinfo is None:
            message = "a command, but not in canonical form"
            raise ValueError(message)
        return parsed


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values have equal texts."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def command_digest(text: str) -> bytes:
    """What management signs (SHA-256; the prefix keeps one kind of text from passing for another)."""
    return hashlib.sha256(b"yunshu-command-v1\n" + text.encode()).digest()


def request_digest(*, cell: CellName, method: str, path: str, time: str, nonce: str, body: bytes) -> bytes:
    """What a cell signs of a request (SHA-256)."""
    parts = ["yunshu-cell-v1", str(cell), method, path, time, nonce, hashlib.sha256(body).hexdigest()]
    return hashlib.sha256("\n".join(parts).encode()).digest()


def encode_signature(signature: bytes) -> str:
    """A signature as text."""
    return base64.b64encode(signature).decode()


def decode_signature(text: str) -> bytes:
    """The reverse of `encode_signature`.

    Raises:
        ValueError: it is not base64.
    """
    return base64.b64decode(text, validate=True)

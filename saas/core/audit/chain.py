"""What a digest of the trail covers: the one definition that the sealer writes by and every verifier checks by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from saas.core.keys.algorithms import Algorithm

FIELDS = (
    "id",
    "at",
    "event",
    "urgent",
    "user_id",
    "user_name",
    "person_id",
    "appointment_id",
    "post_id",
    "post_name",
    "unit_id",
    "unit_name",
    "on_behalf_of",
    "ip",
    "request_id",
    "target_kind",
    "target_id",
    "target_label",
    "detail",
)
GENESIS = bytes(32)
Content = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Link:
    """A record's place in the chain."""

    seq: int
    record_id: UUID
    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A signed state of the chain."""

    seq: int
    digest: bytes
    signed_at: datetime
    algorithm: str
    key_name: str
    key_version: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Trail:
    """Whose trail it is; stands in every signed head, so a head of one tenant proves nothing of another."""

    zone: str
    cell: str
    schema: str


def content_of(row: Sequence[object]) -> dict[str, object]:
    """A record's content from a row of `FIELDS`; Django leaves jsonb as text on raw cursors."""
    content = dict(zip(FIELDS, row, strict=True))
    detail = content["detail"]
    content["detail"] = json.loads(detail) if isinstance(detail, str) else detail
    return content


def plain(content: Content) -> dict[str, object]:
    """A record's content with JSON values only: ids as text, times as UTC to the microsecond."""
    return {name: _plain_value(value) for name, value in content.items()}


def canonical(value: Mapping[str, object]) -> bytes:
    """JSON in one form only: sorted names, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def link_digest(*, previous: bytes, seq: int, record_id: UUID, content: Content | None) -> bytes:
    """The SHA-256 of a link.

    Args:
        previous: the digest of the link before, `GENESIS` for the first.
        seq: the place in the chain, from 1.
        record_id: the record's id.
        content: the record; None when it was gone before it could be chained, which stays visible for ever.
    """
    covered = {
        "algorithm": Algorithm.SHA_256.value,
        "previous": previous.hex(),
        "seq": seq,
        "record_id": str(record_id),
        "record": None if content is None else plain(content),
    }
    return hashlib.sha256(b"yunshu-audit-link-1\x00" + canonical(covered)).digest()


def head_digest(*, trail: Trail, seq: int, digest: bytes, signed_at: datetime, algorithm: str) -> bytes:
    """The SHA-256 that Vault signs."""
    covered = {
        "zone": trail.zone,
        "cell": trail.cell,
        "schema": trail.schema,
        "seq": seq,
        "digest": digest.hex(),
        "signed_at": _plain_value(signed_at),
        "algorithm": algorithm,
    }
    return hashlib.sha256(b"yunshu-audit-head-1\x00" + canonical(covered)).digest()


def _plain_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value

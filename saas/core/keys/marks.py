"""High-water marks in Vault's versioned store: how far numbers and signed heads have come, known outside the database.

A database that is restored from yesterday's copy does not know what it gave out since. The mark does: so no number is
issued twice and no chain is signed along two ways. Only the process that made a step may raise its mark, every raise is
a compare-and-set, and the store keeps the former versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from saas.core.errors import Unavailable
from saas.core.keys.client import KeyMissing, client
from saas.core.keys.names import checked_cell, schema_of
from saas.core.keys.policies import marks_mount
from saas.core.tenancy import TenantRef
from saas.env import Zone

_TRIES = 8
# Tests keep the marks of each test apart: their database is rolled back, which is a restore.
generation = "current"


@dataclass(frozen=True, slots=True)
class HeadMark:
    """The furthest link of a trail that Vault signed a head for; its digest as hex."""

    seq: int
    digest: str


def number_mark(ref: TenantRef, book: str) -> int:
    """The highest serial a number book is known to have given, 0 for none.

    Args:
        ref: the bureau.
        book: the book's 代字 and year; its id would be another one when a restored bureau opens it again.

    Raises:
        Unavailable: Vault is sealed or away.
    """
    found, _version = _read(_book(ref, book))
    return int(found.get("serial", 0))


def raise_number_mark(ref: TenantRef, book: str, serial: int) -> None:
    """Note that a book has given `serial`; a mark never falls.

    Raises:
        Unavailable: Vault is sealed or away.
    """
    path = _book(ref, book)
    for _try in range(_TRIES):
        found, version = _read(path)
        if int(found.get("serial", 0)) >= serial or _written(path, {"book": book, "serial": serial}, version):
            return
    raise _contended()


def head_marks(zone: Zone, cell: str) -> dict[str, HeadMark]:
    """The marks of a cell's trails, by schema.

    Raises:
        Unavailable: Vault is sealed or away.
    """
    found, _version = _read(_heads(zone, cell))
    return {schema: HeadMark(int(seq), str(digest)) for schema, (seq, digest) in found.items()}


def raise_head_marks(zone: Zone, cell: str, marks: Mapping[str, HeadMark]) -> None:
    """Note the heads that were just signed; the marks of other trails stay.

    Raises:
        Unavailable: Vault is sealed or away.
    """
    path = _heads(zone, cell)
    for _try in range(_TRIES):
        found, version = _read(path)
        if _written(path, {**found, **{s: [mark.seq, mark.digest] for s, mark in marks.items()}}, version):
            return
    raise _contended()


def forget_number_marks(ref: TenantRef) -> None:
    """Remove a closed bureau's marks with all their versions; its keys are gone, so nothing of it can be restored.

    Raises:
        Unavailable: Vault is sealed or away.
    """
    folder_of_books = f"{marks_mount(Zone(settings.ZONE))}/metadata/books/{generation}/{schema_of(ref)}"
    try:
        names = client().call("list", folder_of_books).get("keys", [])
    except KeyMissing:
        return
    for name in names:
        client().call("delete", f"{folder_of_books}/{name}")


def _book(ref: TenantRef, book: str) -> str:
    name = hashlib.sha256(book.encode()).hexdigest()[:32]
    return f"{marks_mount(Zone(settings.ZONE))}/data/books/{generation}/{schema_of(ref)}/{name}"


def _heads(zone: Zone, cell: str) -> str:
    return f"{marks_mount(zone)}/data/heads/{checked_cell(cell)}/{generation}"


def _read(path: str) -> tuple[dict[str, Any], int]:
    try:
        answer = client().call("get", path)
    except KeyMissing:
        return {}, 0
    return dict(answer.get("data") or {}), int(answer["metadata"]["version"])


def _written(path: str, value: Mapping[str, object], version: int) -> bool:
    """Write when nobody has written since `version` was read."""
    try:
        client().call("post", path, {"options": {"cas": version}, "data": dict(value)})
    except KeyMissing:
        return False
    return True


def _contended() -> Unavailable:
    return Unavailable(_("号段标记正由他人更新，没有做任何改动。请稍后再试。"), code="marks.contended")

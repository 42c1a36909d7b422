"""A trail as a file: what `audit_verify --export` writes and `--offline` checks anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from saas.core.audit.chain import Head, Link, Trail, canonical, plain
from saas.core.audit.verify import Entry, Fault, Finding, PublicKeys, Report, verify

_VERSION = 1


class NotABundle(Exception):
    """The file is not an exported trail."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A bundle's first line."""

    trail: Trail
    keys: PublicKeys


def write(path: Path, *, opening: Opening, heads: Iterable[Head], entries: Iterable[Entry]) -> int:
    """Write a bundle: one JSON object a line; returns how many entries it holds."""
    trail = opening.trail
    keys = {name: {str(version): pem for version, pem in by.items()} for name, by in opening.keys.items()}
    count = 0
    with path.open("wb") as file:

        def line(value: Mapping[str, object]) -> None:
            file.write(canonical(value) + b"\n")

        line(
            {
                "type": "bundle",
                "version": _VERSION,
                "zone": trail.zone,
                "cell": trail.cell,
                "schema": trail.schema,
                "keys": keys,
            }
        )
        for head in heads:
            line({"type": "head", **_head_out(head)})
        for entry in entries:
            content = None if entry.content is None else plain(entry.content)
            line({"type": "entry", "link": entry.link and _link_out(entry.link), "record": content})
            count += 1
        line({"type": "end", "entries": count})
    return count


def verify_file(path: Path, *, trusted: PublicKeys | None = None) -> tuple[Opening, Report]:
    """Check a bundle in constant memory (heads apart).

    Args:
        path: the file.
        trusted: public keys known from elsewhere; without them those in the file are used, which proves only that
            the file agrees with itself.

    Raises:
        NotABundle: it cannot be read as one.
    """
    try:
        with path.open("rb") as file:
            lines = (json.loads(raw) for raw in file)
            first: dict[str, Any] = next(lines, {})
            if first.get("type") != "bundle" or first.get("version") != _VERSION:
                raise NotABundle(str(path))
            keys = {name: {int(v): str(pem) for v, pem in by.items()} for name, by in first["keys"].items()}
            opening = Opening(Trail(first["zone"], first["cell"], first["schema"]), keys)
            reader = _Reader(lines)
            heads = reader.heads()
            report = verify(trail=opening.trail, heads=heads, entries=reader.entries(), keys=trusted or keys)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotABundle(str(path)) from error
    if not reader.complete:
        finding = Finding(Fault.INCOMPLETE_BUNDLE, path.name)
        report = Report(
            report.links, report.heads, report.signed_up_to, report.last_signed_at, (*report.findings, finding)
        )
    return opening, report


class _Reader:
    """Splits the lines after the first into heads and entries, and notices a missing end."""

    def __init__(self, lines: Iterator[dict[str, object]]) -> None:
        self._lines = lines
        self._pushed_back: dict[str, object] | None = None
        self.complete = False

    def heads(self) -> list[Head]:
        found = []
        for line in self._lines:
            if line["type"] != "head":
                self._pushed_back = line
                break
            found.append(_head_in(line))
        return found

    def entries(self) -> Iterator[Entry]:
        count = 0
        line = self._pushed_back
        while line is not None:
            if line["type"] == "end":
                self.complete = line["entries"] == count and next(self._lines, None) is None
                return
            link, record = line["link"], line["record"]
            yield Entry(
                _link_in(link) if isinstance(link, dict) else None, record if isinstance(record, dict) else None
            )
            count += 1
            line = next(self._lines, None)


def _link_out(link: Link) -> dict[str, object]:
    return {
        "seq": link.seq,
        "record_id": str(link.record_id),
        "algorithm": link.algorithm,
        "digest": link.digest.hex(),
    }


def _link_in(line: Mapping[str, object]) -> Link:
    return Link(
        int(str(line["seq"])),
        UUID(str(line["record_id"])),
        str(line["algorithm"]),
        bytes.fromhex(str(line["digest"])),
    )


def _head_out(head: Head) -> dict[str, object]:
    return {
        "seq": head.seq,
        "digest": head.digest.hex(),
        "signed_at": head.signed_at.isoformat(timespec="microseconds"),
        "algorithm": head.algorithm,
        "key_name": head.key_name,
        "key_version": head.key_version,
        "signature": head.signature.hex(),
    }


def _head_in(line: Mapping[str, object]) -> Head:
    return Head(
        int(str(line["seq"])),
        bytes.fromhex(str(line["digest"])),
        datetime.fromisoformat(str(line["signed_at"])),
        str(line["algorithm"]),
        str(line["key_name"]),
        int(str(line["key_version"])),
        bytes.fromhex(str(line["signature"])),
    )

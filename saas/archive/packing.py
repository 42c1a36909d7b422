"""Builds the package of a record: the frozen file, its metadata and its way, with a digest of each.

The order and the entity blocks (文件 / 业务 / 机构人员) follow DA/T 48-2009; metadata names follow DA/T 46-2009 where
it has one. The container is a plain ZIP so that it opens anywhere in thirty years.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from saas.core.storage import OpenedObject

# A fixed time: the same content gives the same package, byte for byte.
_FIXED = (1980, 1, 1, 0, 0, 0)
MANIFEST = "manifest.json"
PIECE_BYTES = 1 << 20

Metadata = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a package; `open` gives its content when its turn comes."""

    name: str
    content_type: str
    open: Callable[[], io.BytesIO | OpenedObject]


def json_item(name: str, content: object) -> Item:
    """A JSON file of a package: sorted keys, two blanks of indent, UTF-8."""
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True, default=str)
    return Item(name, "application/json", lambda: io.BytesIO(text.encode()))


class Package:
    """The files with a manifest of their digests and sizes; written while it is read, so never held whole.

    `items` lists what is in it once it was read to its end.

    Args:
        items: the files, names unique.
        metadata: the record's own metadata, kept as ``metadata.json``.

    Raises:
        ValueError: two items have one name.
    """

    def __init__(self, items: Sequence[Item], *, metadata: Metadata) -> None:
        everything = [*items, json_item("metadata.json", metadata)]
        if len({item.name for item in everything}) != len(everything):
            raise ValueError("two items of one name")
        self.items: list[dict[str, str | int]] = []
        self._pieces = self._written(everything)
        self._rest = b""

    def read(self, length: int, /) -> bytes:
        """The next `length` bytes; fewer only at the end."""
        while len(self._rest) < length and (piece := next(self._pieces, b"")):
            self._rest += piece
        piece, self._rest = self._rest[:length], self._rest[length:]
        return piece

    def _written(self, everything: Sequence[Item]) -> Iterator[bytes]:
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for item in everything:
                size, digest = 0, hashlib.sha256()
                for piece in _packed(archive, item):
                    size += len(piece)
                    digest.update(piece)
                    yield from sink.taken()
                self.items.append(
                    {
                        "name": item.name,
                        "content_type": item.content_type,
                        "size": size,
                        "algorithm": "SHA-256",
                        "digest": digest.hexdigest(),
                    }
                )
            for _piece in _packed(archive, json_item(MANIFEST, {"version": 1, "items": self.items})):
                yield from sink.taken()
        yield from sink.taken()


def _packed(archive: zipfile.ZipFile, item: Item) -> Iterator[bytes]:
    info = zipfile.ZipInfo(item.name, _FIXED)
    info.compress_type = zipfile.ZIP_DEFLATED
    with item.open() as source, archive.open(info, "w") as target:
        while piece := source.read(PIECE_BYTES):
            target.write(piece)
            yield piece


class _Sink:
    """Where the ZIP is written to; it cannot be sought in, so what was written can go at once."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes, /) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def taken(self) -> Iterator[bytes]:
        if self._held:
            piece = bytes(self._held)
            self._held.clear()
            yield piece

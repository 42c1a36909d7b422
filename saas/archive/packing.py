"""Builds the package of a record: the frozen file, its metadata and its way, with a digest of each.

The order and the entity blocks (文件 / 业务 / 机构人员) follow DA/T 48-2009; metadata names follow DA/T 46-2009 where
it has one. The container is a plain ZIP so that it opens anywhere in thirty years.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# A fixed time: the same content gives the same package, byte for byte.
_FIXED = (1980, 1, 1, 0, 0, 0)
MANIFEST = "manifest.json"

Metadata = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a package."""

    name: str
    data: bytes
    content_type: str

    @property
    def sha256(self) -> str:
        """Digest of the content, hex."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Package:
    """A built package with the list of what is in it."""

    data: bytes
    items: list[dict[str, str | int]]

    @property
    def sha256(self) -> str:
        """Digest of the whole package, hex."""
        return hashlib.sha256(self.data).hexdigest()


def json_item(name: str, content: object) -> Item:
    """A JSON file of a package: sorted keys, two blanks of indent, UTF-8."""
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True, default=str)
    return Item(name, text.encode(), "application/json")


def build(items: Sequence[Item], *, metadata: Metadata) -> Package:
    """Pack `items` with a manifest of their digests and sizes.

    Args:
        items: the files, names unique.
        metadata: the record's own metadata, kept as ``metadata.json``.

    Raises:
        ValueError: two items have one name.
    """
    everything = [*items, json_item("metadata.json", metadata)]
    if len({item.name for item in everything}) != len(everything):
        raise ValueError("two items of one name")
    listing: list[dict[str, str | int]] = [
        {
            "name": item.name,
            "content_type": item.content_type,
            "size": len(item.data),
            "algorithm": "SHA-256",
            "digest": item.sha256,
        }
        for item in everything
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in [*everything, json_item(MANIFEST, {"version": 1, "items": listing})]:
            archive.writestr(zipfile.ZipInfo(item.name, _FIXED), item.data, zipfile.ZIP_DEFLATED)
    return Package(buffer.getvalue(), listing)

"""A package is written as it is read: in constant memory, the same bytes each time, with every file's digest."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from saas.archive.packing import MANIFEST, Item, Package, json_item

MIB = 1 << 20


def large(number: int) -> Item:
    return Item(f"{number}.bin", "application/pdf", lambda: io.BytesIO(bytes([number]) * 8 * MIB))


def written(package: Package, to: Path) -> str:
    digest = hashlib.sha256()
    with to.open("wb") as target:
        while piece := package.read(MIB):
            digest.update(piece)
            target.write(piece)
    return digest.hexdigest()


def test_a_package_is_never_held_whole(tmp_path: Path) -> None:
    package = Package([large(number) for number in range(10)], metadata={"title": "题名"})
    tracemalloc.start()
    try:
        written(package, tmp_path / "package.zip")
        assert tracemalloc.get_traced_memory()[1] < 24 * MIB
    finally:
        tracemalloc.stop()


def test_what_is_in_it_is_what_its_manifest_tells(tmp_path: Path) -> None:
    package = Package([json_item("process.json", ["签发"]), large(7)], metadata={"title": "题名"})
    written(package, tmp_path / "package.zip")
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        told = json.loads(archive.read(MANIFEST))["items"]
        assert told == package.items
        assert archive.namelist() == ["process.json", "7.bin", "metadata.json", MANIFEST]
        for item in told:
            content = archive.read(item["name"])
            assert (len(content), hashlib.sha256(content).hexdigest()) == (item["size"], item["digest"])


def test_the_same_content_gives_the_same_package(tmp_path: Path) -> None:
    first, second = (written(Package([large(1)], metadata={}), tmp_path / name) for name in ("a.zip", "b.zip"))
    assert first == second


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        Package([large(1), large(1)], metadata={})

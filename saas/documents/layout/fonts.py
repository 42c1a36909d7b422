"""Which fonts a document is set in, and which characters they can show, read from the font files themselves."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import typst
from django.utils.translation import gettext as _

from saas.core.errors import Unavailable

# Characters that need no glyph of their own.
_BLANK = frozenset(" \u3000\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class FontSet:
    """The families a document is set in, by role; each falls back to the one after it.

    The defaults are free fonts (Fandol, Noto). A bureau that holds licences names its own 仿宋 or 小标宋 first.

    Attributes:
        folder: where the files lie (searched with its subfolders); system fonts are never used.
    """

    folder: Path
    fang: tuple[str, ...] = ("FandolFang R", "Noto Serif CJK SC")
    hei: tuple[str, ...] = ("FandolHei", "Noto Sans CJK SC")
    kai: tuple[str, ...] = ("FandolKai", "Noto Serif CJK SC")
    song: tuple[str, ...] = ("FandolSong", "Noto Serif CJK SC")
    mark: tuple[str, ...] = ("Noto Serif CJK SC", "FandolSong")
    title: tuple[str, ...] = ("Noto Serif CJK SC", "FandolSong")

    def roles(self) -> dict[str, list[str]]:
        """Families by role, as the template reads them."""
        return {role: list(families) for role, families in asdict(self).items() if role != "folder"}


@functools.lru_cache(maxsize=8)
def loaded(folder: Path) -> typst.Fonts:
    """The folder's fonts, opened once a process and shared by its threads."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])


def require(fonts: FontSet) -> typst.Fonts:
    """The loaded fonts.

    Raises:
        Unavailable: the folder has none of the families of some role; a document is never set in a wrong font.
    """
    found = loaded(fonts.folder)
    present = set(found.families())
    absent = sorted(f"{role}: {'/'.join(names)}" for role, names in fonts.roles().items() if not present & set(names))
    if absent:
        raise Unavailable(
            _("公文字体不全，无法排版（%(absent)s）。请联系运维人员安装字体。") % {"absent": "；".join(absent)},
            code="fonts.missing",
        )
    return found


def lacking(text: Iterable[str], families: tuple[str, ...], folder: Path) -> tuple[list[str], list[str]]:
    """Characters of `text` that the first of `families` lacks, and those that all of them lack.

    Returns:
        (set in a fallback font, shown by no font), each in order of first appearance.
    """
    by_family = _coverage(folder)
    first, *others = (by_family.get(family, frozenset()) for family in families)
    absent = [ch for ch in dict.fromkeys(text) if ord(ch) not in first and ch not in _BLANK]
    fallback = [ch for ch in absent if any(ord(ch) in other for other in others)]
    return fallback, [ch for ch in absent if ch not in fallback]


@functools.lru_cache(maxsize=8)
def _coverage(folder: Path) -> Mapping[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for info in loaded(folder).fonts():
        if info.path is None or info.style != "normal":
            continue
        points = characters(Path(info.path), info.index)
        found[info.family] = found[info.family] & points if info.family in found else points
    return found


@functools.lru_cache(maxsize=64)
def characters(path: Path, index: int) -> frozenset[int]:
    """The code points one face of an OpenType file maps to a glyph (tables cmap format 4 and 12).

    Args:
        path: the font or collection.
        index: which face of a collection; 0 for a single font.
    """
    with path.open("rb") as file:
        head = file.read(12)
        start = 0
        if head[:4] == b"ttcf":
            file.seek(12 + 4 * index)
            (start,) = struct.unpack(">I", file.read(4))
            file.seek(start)
            head = file.read(12)
        (tables,) = struct.unpack(">H", head[4:6])
        file.seek(start + 12)
        directory = file.read(16 * tables)
        for number in range(tables):
            tag, _checksum, offset, length = struct.unpack_from(">4sIII", directory, 16 * number)
            if tag == b"cmap":
                file.seek(offset)
                return _parse_cmap(file.read(length))
    return frozenset()


def _parse_cmap(table: bytes) -> frozenset[int]:
    (count,) = struct.unpack_from(">H", table, 2)
    points: set[int] = set()
    for number in range(count):
        (offset,) = struct.unpack_from(">I", table, 4 + 8 * number + 4)
        (form,) = struct.unpack_from(">H", table, offset)
        if form == 12:
            (groups,) = struct.unpack_from(">I", table, offset + 12)
            for group in range(groups):
                first, last, glyph = struct.unpack_from(">III", table, offset + 16 + 12 * group)
                points.update(range(first if glyph else first + 1, last + 1))
        elif form == 4:
            points.update(_segments(table, offset))
    return frozenset(points)


def _segments(table: bytes, offset: int) -> set[int]:
    (doubled,) = struct.unpack_from(">H", table, offset + 6)
    size = doubled // 2
    ends = struct.unpack_from(f">{size}H", table, offset + 14)
    starts = struct.unpack_from(f">{size}H", table, offset + 16 + doubled)
    deltas = struct.unpack_from(f">{size}h", table, offset + 16 + 2 * doubled)
    ranges_at = offset + 16 + 3 * doubled
    ranges = struct.unpack_from(f">{size}H", table, ranges_at)
    points: set[int] = set()
    for i in range(size):
        for point in range(starts[i], min(ends[i], 0xFFFE) + 1):
            if ranges[i] == 0:
                glyph = (point + deltas[i]) & 0xFFFF
            else:
                at = ranges_at + 2 * i + ranges[i] + 2 * (point - starts[i])
                glyph = struct.unpack_from(">H", table, at)[0] if at + 2 <= len(table) else 0
            if glyph:
                points.add(point)
    return points

"""What changed between two versions of a draft: by paragraph first, then by word, as a reader of Chinese sees words."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import rjieba
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from saas.documents.elements import Elements

# Comparing words costs their number squared; a longer paragraph that changed is shown as replaced.
LONGEST_COMPARED = 4_000
# Two paragraphs that share less than this are two paragraphs, not one that was rewritten.
_ALIKE = 0.3


class Change(enum.StrEnum):
    """What happened to a stretch of text."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that stayed, came or went."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph with its pieces."""

    pieces: tuple[Piece, ...]

    @property
    def changed(self) -> bool:
        """Whether anything in it came or went."""
        return any(piece.change is not Change.SAME for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class ElementDifference:
    """One element of the document: its name, its marked paragraphs, and the clean text of the later version."""

    label: str | Promise
    lines: tuple[Line, ...]
    clean: str

    @property
    def changed(self) -> bool:
        """Whether the element differs."""
        return any(line.changed for line in self.lines)


def differences(old: Elements, new: Elements) -> list[ElementDifference]:
    """Every element that has text in either version, in the order of the page."""
    found = []
    for (label, before), (_label, after) in zip(_texts(old), _texts(new), strict=True):
        if before or after:
            found.append(ElementDifference(label, compare(before, after), after))
    return found


def compare(before: str, after: str) -> tuple[Line, ...]:
    """Two texts, paragraph by paragraph; joining what was not removed gives `after`, what was not added `before`."""
    old, new = before.split("\n"), after.split("\n")
    lines: list[Line] = []
    for tag, i, i_end, j, j_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [_whole(Change.SAME, text) for text in old[i:i_end]]
        else:
            lines += _rewritten(old[i:i_end], new[j:j_end])
    return tuple(lines)


def _rewritten(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """Paragraphs that took each other's place: pairs that are alike are compared by word."""
    for before, after in zip(old, new, strict=False):
        yield from _pair(before, after)
    yield from (_whole(Change.REMOVED, text) for text in old[len(new) :])
    yield from (_whole(Change.ADDED, text) for text in new[len(old) :])


def _pair(before: str, after: str) -> Iterator[Line]:
    if before and after and len(before) + len(after) <= LONGEST_COMPARED:
        old, new = words(before), words(after)
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        if matcher.ratio() >= _ALIKE:
            yield Line(tuple(_pieces(matcher, old, new)))
            return
    yield _whole(Change.REMOVED, before)
    yield _whole(Change.ADDED, after)


def _pieces(matcher: difflib.SequenceMatcher[str], old: list[str], new: list[str]) -> Iterator[Piece]:
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            yield Piece(Change.SAME, "".join(old[i:i_end]))
            continue
        if i_end > i:
            yield Piece(Change.REMOVED, "".join(old[i:i_end]))
        if j_end > j:
            yield Piece(Change.ADDED, "".join(new[j:j_end]))


def words(text: str) -> list[str]:
    """The text cut into words; joined they are the text."""
    cut: list[str] = rjieba.cut(text, False)
    return cut if "".join(cut) == text else list(text)


def _whole(change: Change, text: str) -> Line:
    return Line((Piece(change, text),))


def _texts(elements: Elements) -> list[tuple[str | Promise, str]]:
    annexes = "\n".join(
        line
        for annex in elements.annexes
        for line in (annex.label + annex.title, *(text for _align, text in annex.lines))
    )
    return [
        (_("发文机关标志"), elements.mark),
        (_("标题"), elements.title),
        (_("主送机关"), elements.recipients),
        (_("正文"), elements.body),
        (_("附件说明"), "\n".join(elements.attachments)),
        (_("附件"), annexes),
        (_("发文机关署名"), "\n".join(elements.signatures)),
        (_("附注"), elements.note),
        (_("抄送机关"), elements.cc),
        (_("印发机关"), elements.printer),
    ]

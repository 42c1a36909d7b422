"""Marks what was searched for in a title or in a short piece of the text around it."""

from __future__ import annotations

from collections.abc import Sequence

from saas.search.entries import Segment

_BEFORE = 30
_WIDTH = 130


def mark(text: str, marks: Sequence[tuple[str, ...]]) -> tuple[Segment, ...]:
    """All of `text`, with the hits marked."""
    return _cut(text, _spans(text, marks))


def excerpt(text: str, marks: Sequence[tuple[str, ...]]) -> tuple[Segment, ...]:
    """About 130 characters around the first hit, or the beginning."""
    spans = _spans(text, marks)
    start = max(0, spans[0][0] - _BEFORE) if spans else 0
    end = min(len(text), start + _WIDTH)
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and b > start]
    segments = _cut(text[start:end].replace("\n", " "), inside)
    before = (Segment("…", False),) if start else ()
    after = (Segment("…", False),) if end < len(text) else ()
    return (*before, *segments, *after)


def _spans(text: str, marks: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter whose small form is longer: places would shift
        lowered = text
    found: list[tuple[int, int]] = []
    for group in marks:
        whole, *parts = group or ("",)
        if whole and (spans := _all(lowered, whole.lower())):
            found += spans
        else:
            for part in parts:
                found += _all(lowered, part.lower())
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _all(text: str, word: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = text.find(word)
    while at >= 0 and len(spans) < 200:
        spans.append((at, at + len(word)))
        at = text.find(word, at + len(word))
    return spans


def _cut(text: str, spans: list[tuple[int, int]]) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    at = 0
    for start, end in spans:
        if start > at:
            segments.append(Segment(text[at:start], False))
        segments.append(Segment(text[start:end], True))
        at = end
    if at < len(text):
        segments.append(Segment(text[at:], False))
    return tuple(segments)

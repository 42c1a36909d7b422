"""Finds the numbered headings in plain text, so that a drafter types and does not format."""

from __future__ import annotations

import re

from saas.documents.layout.content import Align, Paragraph

_LEVELS = (
    (1, re.compile(r"[一二三四五六七八九十百]{1,5}、")),
    (2, re.compile(r"[（(][一二三四五六七八九十百]{1,5}[）)]")),
    (3, re.compile(r"\d{1,3}[.．](?!\d)")),
    (4, re.compile(r"[（(]\d{1,3}[）)]")),
)
_CHAPTER = re.compile(r"第[一二三四五六七八九十百零]{1,6}[编章节](?=\s|$)")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad\x00-\x08\x0b-\x1f\x7f]")
LONGEST_HEADING = 45


def clean_line(text: str) -> str:
    """A line without invisible characters, surrounding blanks and runs of blanks."""
    text = _INVISIBLE.sub("", text.replace("\t", " ").replace("\u00a0", " "))
    return re.sub(r" {2,}", " ", text).strip(" \u3000\n\r")


def heading_of(line: str) -> tuple[int, str, str]:
    """Split a line into level, heading and the text that runs on after it.

    A heading is a numbered line without a full stop, or the first sentence of a numbered paragraph when it is
    short and something follows. A numbered paragraph that is one long sentence is text, not a heading.

    Returns:
        level 0–4, the heading (empty when the line only carries a number), the rest.
    """
    for level, pattern in _LEVELS:
        match = pattern.match(line)
        if not match:
            continue
        stop = line.find("。")
        if stop < 0:
            is_title = len(line) <= LONGEST_HEADING and not line.endswith(("；", "：", "，", ";", ":"))
            return (level, line, "") if is_title else (level, "", line)
        first, rest = line[: stop + 1], line[stop + 1 :]
        short = len(first) <= LONGEST_HEADING and "：" not in first and "；" not in first
        alone = not rest and len(first) <= 20 and "，" not in first
        if short and (alone or (rest and not rest.startswith(("（", "(")))):
            return level, first, rest
        return level, "", line
    return 0, "", line


def paragraph_of(line: str, align: Align = Align.LEFT) -> Paragraph:
    """One cleaned line as a paragraph, its heading recognised; 第一章 stands in the middle, in the heading's font."""
    if align is Align.LEFT:
        level, heading, text = heading_of(line)
        return Paragraph(text=text, level=level, heading=heading)
    if align is Align.CENTER and _CHAPTER.match(line):
        return Paragraph(text="", level=1, heading=line, align=align)
    return Paragraph(text=line, align=align)


def parse_body(text: str) -> tuple[Paragraph, ...]:
    """Plain text as paragraphs: one a line, blank lines dropped, headings recognised (GB/T 9704-2012, 7.3.3)."""
    return tuple(paragraph_of(line) for raw in text.splitlines() if (line := clean_line(raw)))


def plain_text(paragraphs: tuple[Paragraph, ...]) -> str:
    """The paragraphs as the text they were parsed from."""
    return "\n".join(paragraph.whole for paragraph in paragraphs)

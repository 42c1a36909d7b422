"""Brings document numbers (发文字号) to one form, since no tokeniser understands 〔2024〕12号."""

from __future__ import annotations

import re
from dataclasses import dataclass

from saas.search.words import fold

_OPEN = r"[〔\[【〖\(（［〈<﹝]"
_CLOSE = r"[〕\]】〗\)）］〉>﹞]"
_PREFIX = r"[\u3400-\u9fffA-Za-z]{0,20}"
# 国发〔2004〕18号, [2004]第018号, 国发〔2004〕
_BRACKETED = re.compile(rf"({_PREFIX}){_OPEN}((?:19|20)\d\d)年?{_CLOSE}(?:第?(\d{{1,6}})号?)?")
# 国发2004年18号, 国发2004-18号
_PLAIN = re.compile(rf"({_PREFIX}?)((?:19|20)\d\d)(?:年第?|[-—年第/])(\d{{1,6}})号")
# 国务院令第72号
_ORDER = re.compile(r"([\u3400-\u9fff]{0,20}令)第?(\d{1,6})号")


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """A document number or the part of one that was typed; `rest` is the query without it."""

    prefix: str
    year: str
    serial: str
    rest: str = ""

    @property
    def key(self) -> str:
        """The complete number's normal form, year first so that an incomplete one is a prefix search."""
        return f"{self.year}-{self.serial}-{self.prefix}"

    @property
    def like(self) -> str:
        """What the key of a row must be LIKE before prefixes are compared: a part that was not typed is open."""
        return f"{self.year}-{self.serial or '%'}-%"

    @property
    def cited_word(self) -> str:
        """The word of the index that a text citing this number has."""
        return f"#{self.year}-{self.serial}"

    @property
    def spellings(self) -> tuple[str, ...]:
        """How a text may cite the number."""
        if not self.serial:
            return ()
        if not self.year:
            return (f"{self.prefix}第{self.serial}号", f"{self.prefix}{self.serial}号")
        forms = [
            f"{self.prefix}{a}{self.year}{b}{self.serial}号" for a, b in ("〔〕", "[]", "［］", "（）", "()", "【】")
        ]
        return (*forms, f"{self.prefix}{self.year}年{self.serial}号")


def recognise(typed: str) -> NumberPattern | None:
    """The document number inside `typed`, or None."""
    text = re.sub(r"\s+", "", fold(typed))
    for pattern in (_BRACKETED, _PLAIN):
        found = pattern.search(text)
        if found:
            prefix, year, serial = found.group(1), found.group(2), found.group(3) or ""
            rest = f"{text[: found.start()]} {text[found.end() :]}".strip()
            return NumberPattern(prefix, year, serial.lstrip("0"), rest)
    found = _ORDER.search(text)
    if found:
        rest = f"{text[: found.start()]} {text[found.end() :]}".strip()
        return NumberPattern(found.group(1), "", found.group(2).lstrip("0"), rest)
    return None


def cited_words(text: str) -> set[str]:
    """A word of the index for every document number that `text` (tidied) has: year and serial, marked with ``#``."""
    found = {f"#{m.group(2)}-{m.group(3).lstrip('0')}" for m in _BRACKETED.finditer(text) if m.group(3)}
    found |= {f"#{m.group(2)}-{m.group(3).lstrip('0')}" for m in _PLAIN.finditer(text)}
    return found | {f"#-{m.group(2).lstrip('0')}" for m in _ORDER.finditer(text)}


def number_key(number: str) -> str:
    """The normal form of a document's own number; one that is in no known form is only folded."""
    if not number.strip():
        return ""
    found = recognise(number)
    if found is None or not found.serial:
        return re.sub(r"\s+", "", fold(number))[:100]
    return found.key[:100]

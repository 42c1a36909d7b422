"""Reads what a person typed: plain words, "exact phrases" and document numbers; nothing in it is an operator."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from saas.core.errors import Invalid
from saas.search import words
from saas.search.numbers import NumberPattern, recognise

LONGEST_QUERY = 200
_QUOTED = re.compile(r'"([^"]*)"')
_QUOTES = str.maketrans({"“": '"', "”": '"', "「": '"', "」": '"', "『": '"', "』": '"', "＂": '"'})
_FULL = str.maketrans(",:;!?()", "，：；！？（）")
_HALF = str.maketrans("，：；！？（）", ",:;!?()")


@dataclass(frozen=True, slots=True)
class Query:
    """A search: every word, every phrase and the number must be in a result."""

    words: tuple[str, ...]
    phrases: tuple[str, ...]
    number: NumberPattern | None

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for."""
        return not (self.words or self.phrases or self.number)

    @property
    def body_lexemes(self) -> list[str]:
        """What the row's words must contain."""
        found = dict.fromkeys(word for typed in self.words for word in words.query_words(typed))
        for phrase in self.phrases:
            found.update(dict.fromkeys(words.phrase_words(phrase)))
        if self.number and self.number.serial:
            found[self.number.cited_word] = None
        return list(found)

    @property
    def title_lexemes(self) -> list[str]:
        """What the row's title, organisations and names must contain; empty when only a number was typed."""
        return list(dict.fromkeys(g for typed in (*self.words, *self.phrases) for g in words.query_bigrams(typed)))

    @property
    def marks(self) -> list[tuple[str, ...]]:
        """What to highlight, in groups: the first member of a group that a text has is marked."""
        groups: list[tuple[str, ...]] = [(phrase, *spellings(phrase)) for phrase in self.phrases]
        groups += [(typed, *(w for w in words.query_words(typed) if len(w) > 1)) for typed in self.words]
        if self.number:
            groups.append(self.number.spellings)
        return groups


def parse(typed: str) -> Query:
    """Read a query.

    Raises:
        Invalid: longer than 200 characters.
    """
    if len(typed) > LONGEST_QUERY:
        message = _("检索词过长，最多 %(most)d 个字。") % {"most": LONGEST_QUERY}
        raise Invalid(message, code="search.too_long", fields={"q": message})
    text = words.tidy(typed.replace("\n", " ").translate(_QUOTES))
    phrases = tuple(dict.fromkeys(p.strip() for p in _QUOTED.findall(text) if words.phrase_words(p)))
    rest = _QUOTED.sub(" ", text)
    number = recognise(rest)
    if number is not None:
        rest = number.rest
    plain = tuple(dict.fromkeys(run for run in rest.lower().split() if words.query_words(run)))
    return Query(plain, phrases, number)


def spellings(phrase: str) -> tuple[str, ...]:
    """A phrase with its punctuation as typed, full-width and half-width."""
    return tuple(dict.fromkeys((phrase, phrase.translate(_FULL), phrase.translate(_HALF))))


def like_pattern(text: str) -> str:
    """`text` anywhere, for LIKE."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"

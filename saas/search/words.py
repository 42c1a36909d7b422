"""Cuts texts into the words of the index; the one place that knows the dictionary."""

from __future__ import annotations

import re
import unicodedata

import rjieba

# Rises when the dictionary or the cutting changes: rows of an older version are rebuilt (`manage.py search_rebuild`).
DICTIONARY_VERSION = 1
# Lexemes of one row stay far below a tsvector's 1 MB however hostile the text.
CHUNK_CHARACTERS = 60_000
CHUNK_OVERLAP = 100
_LONGEST_WORD = 60

_DROP_SPACE = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])[ \t\u3000\xa0]+(?=[\u3000-\u9fff\uff00-\uffef])")
_SPACES = re.compile(r"[ \t\u3000\xa0\r\f\v]+")
_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[0-9a-z]+")
_WORD = re.compile(r"[0-9a-z]+|[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def _folds() -> dict[int, str]:
    wide = {code: chr(code - 0xFEE0) for code in range(0xFF10, 0xFF5B) if chr(code - 0xFEE0).isalnum()}
    return {**wide, 0x3000: " ", 0x25CB: "〇"}


_FOLD = _folds()


def fold(text: str) -> str:
    """Full-width letters and digits become half-width; character for character, so places stay the same."""
    return text.translate(_FOLD)


def tidy(text: str) -> str:
    """A text as the index keeps it: folded, without control characters and the stray spaces of scanned texts."""
    kept = "".join(ch for ch in fold(text) if ch == "\n" or unicodedata.category(ch) not in {"Cc", "Cs", "Co", "Cn"})
    return _SPACES.sub(" ", _DROP_SPACE.sub("", kept)).strip()


def body_words(text: str) -> set[str]:
    """All words of `text` in search mode (long ones with the words inside them), its characters and its pairs.

    The characters serve queries of one; the pairs (marked with ``_``, so that no word is mistaken for two
    neighbouring halves) serve exact phrases, which may begin and end inside a word.
    """
    lowered = text.lower()
    words = {word for word in rjieba.cut_for_search(lowered, False) if _WORD.fullmatch(word)}
    for run in _RUN.findall(lowered):
        if run.isascii():
            words.add(run)
        else:
            words.update(run)
            words.update(_pairs(run))
    return {word[:_LONGEST_WORD] for word in words}


def _pairs(run: str) -> list[str]:
    return [f"_{run[i : i + 2]}" for i in range(len(run) - 1)]


def query_words(text: str) -> list[str]:
    """The words a plain query asks for, each once, in order; none needs quoting in a tsquery."""
    words: dict[str, None] = {}
    for run in _RUN.findall(fold(text).lower()):
        if run.isascii():
            words[run[:_LONGEST_WORD]] = None
        else:
            for word in rjieba.cut(run, False):
                words[word] = None
    return [word for word in words if _WORD.fullmatch(word)]


def phrase_words(text: str) -> list[str]:
    """What every text with the phrase in it must have: its pairs of characters, and the Latin words inside it.

    No Latin word at an edge, which may be part of a longer one; but a phrase that is nothing else is taken as a whole
    word. The comparison with the text decides; these only narrow what is compared.
    """
    folded = fold(text).lower()
    runs = list(_RUN.finditer(folded))
    words: dict[str, None] = {}
    for run in runs:
        whole = run.group()
        if not whole.isascii():
            words.update(dict.fromkeys(_pairs(whole) or whole))
        elif len(runs) == 1 or (run.start() > 0 and run.end() < len(folded)):
            words[whole[:_LONGEST_WORD]] = None
    return list(words)


def bigrams(text: str) -> set[str]:
    """Every two neighbouring characters, every single one, and every Latin word or number of `text`."""
    grams: set[str] = set()
    for run in _RUN.findall(fold(text).lower()):
        if run.isascii():
            grams.add(run[:_LONGEST_WORD])
        else:
            grams.update(run)
            grams.update(run[i : i + 2] for i in range(len(run) - 1))
    return grams


def query_bigrams(text: str) -> list[str]:
    """What a title must contain for `text` to stand in it; each once."""
    grams: dict[str, None] = {}
    for run in _RUN.findall(fold(text).lower()):
        if run.isascii():
            grams[run[:_LONGEST_WORD]] = None
        elif len(run) == 1:
            grams[run] = None
        else:
            for i in range(len(run) - 1):
                grams[run[i : i + 2]] = None
    return list(grams)


def chunks(text: str) -> list[str]:
    """`text` in pieces short enough for one row each, overlapping so that no phrase is lost at a seam."""
    if len(text) <= CHUNK_CHARACTERS:
        return [text]
    step = CHUNK_CHARACTERS - CHUNK_OVERLAP
    return [text[start : start + CHUNK_CHARACTERS] for start in range(0, len(text) - CHUNK_OVERLAP, step)]

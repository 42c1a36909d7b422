"""Breaks a title into lines by sense, as GB/T 9704-2012, 7.3.1 wants: whole words, trapezoid or diamond, centred.

Chosen: every way of breaking between words is priced and the cheapest taken (dynamic programming over word
boundaries and lines). Turned down: the typesetter's own breaking, which fills lines and splits words.
"""

from __future__ import annotations

import itertools
import unicodedata
from functools import lru_cache

import rjieba

LINE_EMS = 20.0  # 2号 is 22 pt: 156 mm hold 20.1 of them
_NOT_FIRST = frozenset("的地得了着之和与及或等、，。；：！？）》〉”’」』】〕…—％%)]},.;:!?")
_NOT_LAST = frozenset("《〈“‘（「『【〔([{")
_WEAK_LAST = frozenset(
    {
        "在",
        "对",
        "为",
        "以",
        "将",
        "把",
        "被",
        "由",
        "从",
        "向",
        "按",
        "和",
        "与",
        "及",
        "或",
        "第",
        "不",
        "进一步",
        "更",
        "全国",
    }
)
_STRONG_FIRST = frozenset({"关于", "转发", "批转", "印发"})
_ATTRIBUTES = frozenset({"a", "b", "ad"})
_LEANING = frozenset(
    {"p", "c", "d", "m", "f"}
)  # prepositions, conjunctions, adverbs, numerals: they lean on what follows
_NOUN_LIKE = ("n", "vn", "an", "j", "l")


def width_of(text: str) -> float:
    """Width in characters: 1 for a full-width one, 0.56 for a Latin letter or digit."""
    return sum(1.0 if unicodedata.east_asian_width(ch) in "WFA" else 0.56 for ch in text)


def words_of(title: str) -> list[tuple[str, str]]:
    """The title's words with their part of speech; digits keep their unit and brackets their neighbour.

    What a reader takes as one thing is never split: a number with the unit behind it, a bracket or mark with the
    word it belongs to, 的 with the word before it.
    """
    words: list[tuple[str, str]] = []
    glue_next = False
    for word, tag in rjieba.tag(title):
        before = words[-1] if words else None
        digits = before is not None and before[0][-1:].isdigit() and (word[:1].isdigit() or len(word) == 1)
        latin = before is not None and before[0][-1:].isascii() and word[:1].isascii() and word[:1] != " "
        if before is not None and (glue_next or word[0] in _NOT_FIRST or digits or latin):
            words[-1] = (before[0] + word, tag if word[0] not in _NOT_FIRST else "uj")
        else:
            words.append((word, tag))
        glue_next = word[-1] in _NOT_LAST or (word == "第")
    return [piece for word, tag in words for piece in _split_long(word, tag)]


def _split_long(word: str, tag: str) -> list[tuple[str, str]]:
    if width_of(word) <= LINE_EMS:
        return [(word, tag)]
    pieces, current = [], ""
    for ch in word:
        if width_of(current + ch) > LINE_EMS:
            pieces.append((current, tag))
            current = ""
        current += ch
    return [*pieces, (current, tag)]


def _boundary(left: tuple[str, str], right: tuple[str, str], depth: int) -> float:
    """What it costs to break between two words; lower is better sense."""
    cost = 4.0 * depth  # inside 《》 or （）
    if right[0] in _STRONG_FIRST:
        return cost - 2.0
    closed = left[0].endswith(("》", "）", "，", "”"))
    if left[0] in _WEAK_LAST or (left[1] in _LEANING and not closed):
        cost += 5.0
    if right[1] == "f":
        cost += 5.0
    if right[1] == "d":
        cost -= 1.5  # 进一步, 暂时, 切实: an adverb opens a new thought
    if closed or left[1] == "uj":
        return cost - 1.0
    if left[0] == "关于":
        return cost + 1.5
    return cost + _between_words(left[1], right)


def _between_words(left_tag: str, right: tuple[str, str]) -> float:
    if left_tag in _ATTRIBUTES:
        return 4.0
    cost = 1.5 if right[1] == "m" else 0.0
    if left_tag.startswith(_NOUN_LIKE) and right[1].startswith(_NOUN_LIKE):
        return cost + 2.5
    if left_tag == "v":
        return cost + 3.0
    return cost - 0.4 if right[1] == "v" and len(right[0]) > 1 else cost


def _depths(words: list[tuple[str, str]]) -> list[int]:
    """How deep in brackets the place after each word is."""
    depth, depths = 0, []
    for word, _ in words:
        depth += sum(ch in "《〈（“" for ch in word) - sum(ch in "》〉）”" for ch in word)
        depths.append(max(depth, 0))
    return depths


def _shape(widths: list[float]) -> float:
    """Trapezoid or diamond: no hourglass, no rectangle, no scrap of a line."""
    cost = 0.0
    mean = sum(widths) / len(widths)
    cost += sum((w - mean) ** 2 for w in widths) * 0.06
    cost += sum(6.0 for w in widths if w < 5.0)
    if len(widths) >= 2 and max(widths) - min(widths) < 1.0:
        cost += 1.0
    for i in range(1, len(widths) - 1):
        if widths[i] < widths[i - 1] - 0.4 and widths[i] < widths[i + 1] - 0.4:
            cost += 6.0
    return cost


@lru_cache(maxsize=4096)
def break_title(title: str, limit: float = LINE_EMS) -> tuple[str, ...]:
    """The title's lines.

    Args:
        title: the title; line breaks in it are the author's and are kept when every line fits.
        limit: the longest line, in characters of the title's size.

    Returns:
        lines no wider than `limit` that join back to the title without its line breaks.
    """
    own = [line.strip() for line in title.splitlines() if line.strip()]
    if len(own) > 1 and all(width_of(line) <= limit for line in own):
        return tuple(own)
    whole = "".join(own)
    if width_of(whole) <= limit:
        return (whole,) if whole else ()
    words = words_of(whole)
    fewest = _fewest_lines(words, limit)
    best = min(
        (candidate for count in (fewest, fewest + 1) if (candidate := _best(words, count, limit)) is not None),
        key=lambda pair: pair[0],
    )
    return best[1]


def _fewest_lines(words: list[tuple[str, str]], limit: float) -> int:
    lines, used = 1, 0.0
    for word, _ in words:
        width = width_of(word)
        if used and used + width > limit:
            lines, used = lines + 1, 0.0
        used += width
    return lines


def _best(words: list[tuple[str, str]], count: int, limit: float) -> tuple[float, tuple[str, ...]] | None:
    """The cheapest way into `count` lines: the boundaries' cost by search, the shape's at the end of each path."""
    depths = _depths(words)
    widths = [width_of(word) for word, _ in words]
    # A beam of the cheapest paths for each (words used, lines used): titles are short, so it is effectively exact.
    paths: list[dict[int, list[tuple[float, tuple[int, ...]]]]] = [{0: [(0.0, ())]}]
    for line in range(count):
        reached: dict[int, list[tuple[float, tuple[int, ...]]]] = {}
        for start, options in paths[-1].items():
            used = 0.0
            for end in range(start + 1, len(words) + 1):
                used += widths[end - 1]
                if used > limit:
                    break
                last = end == len(words)
                if last != (line == count - 1):
                    continue
                cost = 0.0 if last else _boundary(words[end - 1], words[end], depths[end - 1])
                cost += (used - 15.0) ** 2 * 0.01
                reached.setdefault(end, []).extend((old + cost, (*cuts, end)) for old, cuts in options)
        paths.append({end: sorted(options)[:24] for end, options in reached.items()})
    finals = []
    for cost, cuts in paths[-1].get(len(words), []):
        edges = (0, *cuts)
        lines = ["".join(w for w, _ in words[a:b]) for a, b in itertools.pairwise(edges)]
        finals.append((cost + _shape([width_of(line) for line in lines]) + 3.0 * count, tuple(lines)))
    return min(finals) if finals else None

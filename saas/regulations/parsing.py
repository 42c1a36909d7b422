"""Reads one line of a regulations file into a regulation and its articles, or says which field is wrong."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from django.utils.translation import gettext as _

from saas.regulations.numerals import NUMERAL, to_int

LONGEST_TEXT = 2_000_000
_HEADING = re.compile(r"(#{1,6})\s*(.+)")
_ARTICLE = re.compile(rf"第({NUMERAL}{{1,9}})条(?:之({NUMERAL}{{1,3}}))?(?:[\s\u3000]+|$)")
_ITEM = re.compile(rf"({NUMERAL}{{1,5}})、")
_DATE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")
_GENERAL = "全文"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line was refused: the field and the reason."""

    field: str
    reason: str


class LineRefused(ValueError):
    """A line that cannot be loaded, with every problem found in it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.reason}" for p in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ParsedArticle:
    """An article before it is stored."""

    label: str
    number: int
    suffix: int
    chapter: str
    section: str
    text: str


@dataclass(frozen=True, slots=True)
class ParsedRegulation:
    """A regulation before it is stored."""

    title: str
    kind: str
    subject: str
    history: str
    issued_on: date | None
    version_on: date | None
    preamble: str
    articles: tuple[ParsedArticle, ...]
    digest: str


def parse_line(line: str) -> ParsedRegulation:
    """Read one JSON line.

    Raises:
        LineRefused: with the fields that are wrong.
    """
    try:
        raw = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        raise LineRefused([Problem("JSON", _("不是有效的 JSON"))]) from None
    if not isinstance(raw, dict):
        raise LineRefused([Problem("JSON", _("应为一个对象"))])
    problems: list[Problem] = []
    title = _text(raw, "title", 200, problems)
    text = _text(raw, "text", LONGEST_TEXT, problems)
    kind = _text(raw, "kind", 40, problems)
    subject = _text(raw, "subject", 100, problems, needed=False)
    history = _history(raw, problems)
    if problems:
        raise LineRefused(problems)
    dates = [found for entry in history.split("\n") for found in _dates(entry)]
    preamble, articles = parse_text(text)
    digest = hashlib.sha256("\x1f".join((title, kind, subject, history, text)).encode()).hexdigest()
    return ParsedRegulation(
        title=title,
        kind=kind,
        subject=subject,
        history=history,
        issued_on=dates[0] if dates else None,
        version_on=max(dates) if dates else None,
        preamble=preamble,
        articles=tuple(articles),
        digest=digest,
    )


def title_key(title: str) -> str:
    """A title as it is compared in citations: without 中华人民共和国, spaces, brackets' form and the version."""
    key = re.sub(r"[\s\u3000]", "", title).replace("(", "（").replace(")", "）")
    key = re.sub(r"（[^（）]*(修订|修正|年|试行)[^（）]*）$", lambda m: "（试行）" if "试行" in m.group(0) else "", key)
    return key.removeprefix("中华人民共和国") or key


def parse_text(text: str) -> tuple[str, list[ParsedArticle]]:
    """Cut a text into its preamble and articles.

    A text without 第…条 is cut at 一、二、…; one without either is a single piece.
    """
    lines = [line.strip(" \t\u3000\r") for line in text.split("\n")]
    cutter = _Cutter(start=_ARTICLE if any(_ARTICLE.match(line) for line in lines) else _ITEM)
    for line in lines:
        cutter.take(line)
    cutter.close()
    preamble = "\n".join(cutter.preamble)
    if not cutter.articles:
        return "", [ParsedArticle(_GENERAL, 0, 0, "", "", preamble.strip())]
    return preamble, cutter.articles


class _Cutter:
    """Goes through the lines and keeps what is open: the chapter, the section, the article."""

    def __init__(self, *, start: re.Pattern[str]) -> None:
        self.preamble: list[str] = []
        self.articles: list[ParsedArticle] = []
        self._start = start
        self._chapter = self._section = ""
        self._open: ParsedArticle | None = None
        self._body: list[str] = []

    def take(self, line: str) -> None:
        heading = _HEADING.match(line)
        if heading:
            self._head(len(heading.group(1)), re.sub(r"[\s\u3000]+", " ", heading.group(2)).strip()[:200])
        elif (begun := _begin(line, self._start)) is not None:
            label, number, suffix, rest = begun
            self._begin(label, number, suffix, rest)
        elif self._open is not None:
            self._body.append(line)
        elif line and (self.articles or self._chapter):
            # Words under a heading before its first article: kept, without a number of their own.
            self._begin("", 0, 0, line)
        elif line:
            self.preamble.append(line)

    def close(self) -> None:
        if self._open is not None:
            text = "\n".join(self._body).strip()
            if text or self._open.label:
                self.articles.append(replace(self._open, text=text))
        self._open, self._body = None, []

    def _head(self, level: int, name: str) -> None:
        self.close()
        if level <= 2:
            self._chapter, self._section = name, ""
        else:
            self._section = name

    def _begin(self, label: str, number: int, suffix: int, first: str) -> None:
        self.close()
        self._open = ParsedArticle(label, number, suffix, self._chapter, self._section, "")
        self._body = [first]


def _begin(line: str, start: re.Pattern[str]) -> tuple[str, int, int, str] | None:
    found = start.match(line)
    if found is None:
        return None
    try:
        number = to_int(found.group(1))
        suffix = to_int(found.group(2)) if start is _ARTICLE and found.group(2) else 0
    except ValueError:
        return None
    label = found.group(0).strip(" \u3000\t、")
    return label[:30], number, suffix, line[found.end() :].strip()


def _text(raw: Mapping[str, object], field: str, most: int, problems: list[Problem], *, needed: bool = True) -> str:
    value = raw.get(field, "")
    if not isinstance(value, str):
        problems.append(Problem(field, _("应为文字")))
        return ""
    value = value.replace("\x00", "").strip()
    if any("\ud800" <= ch <= "\udfff" for ch in value):
        problems.append(Problem(field, _("含有无效字符")))
        return ""
    if needed and not value:
        problems.append(Problem(field, _("不能为空")))
    elif len(value) > most:
        problems.append(Problem(field, _("超过 %(most)d 字") % {"most": most}))
    return value


def _history(raw: Mapping[str, object], problems: list[Problem]) -> str:
    value = raw.get("history", [])
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        problems.append(Problem("history", _("应为文字的列表")))
        return ""
    return "\n".join(re.sub(r"\s+", " ", str(entry)).strip().rstrip("）") for entry in value if str(entry).strip())


def _dates(entry: str) -> list[date]:
    found = []
    for year, month, day in _DATE.findall(entry):
        try:
            found.append(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return found

"""Finds the elements of a document in its paragraphs in reading order, and says what it could not find."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from saas.documents.kinds import Kind, kind_of_title
from saas.documents.layout.body import clean_line, paragraph_of
from saas.documents.layout.content import Align, Annex, Paragraph
from saas.documents.numbering import parse_date, parse_number

LONGEST_TITLE = 150
_REQUIRED = ("title", "issuer", "document_number", "paragraphs")
_LABEL = re.compile(r"附\s*件\s*[:：]?\s*\d{0,2}[:：]?$")
_STRAY = re.compile(r"&[a-zA-Z]{2,6};|&#\d{1,6};|</?[a-zA-Z][^<>]{0,40}>")
_SPACED = re.compile(r"(?:\S[ \u3000]){2,}\S$")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that could not be read as it stands: in which field, and what about it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A past document with its elements."""

    title: str
    number: str
    issuer: str
    kind: Kind
    topic: str
    recipients: str
    body: tuple[Paragraph, ...]
    signatures: tuple[str, ...]
    issued_on: date
    published_on: date | None
    note: str
    attachments: tuple[str, ...]
    annexes: tuple[Annex, ...]
    index_number: str
    findings: tuple[Finding, ...] = ()


class Refused(ValueError):
    """A line that cannot become a document; `findings` say why, field by field."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("；".join(f"{f.field}：{f.message}" for f in findings))
        self.findings = tuple(findings)


@dataclass(slots=True)
class _Reader:
    """Walks the paragraphs from top to bottom."""

    lines: list[tuple[Align, str]]
    at: int = 0
    findings: list[Finding] = field(default_factory=list)

    def peek(self) -> tuple[Align, str] | None:
        return self.lines[self.at] if self.at < len(self.lines) else None

    def take(self) -> tuple[Align, str]:
        self.at += 1
        return self.lines[self.at - 1]

    def report(self, name: str, message: str) -> None:
        self.findings.append(Finding(name, message))


def recognise(record: Mapping[str, Any]) -> Recognised:
    """Read one record of past documents (title, issuer, number, dates, paragraphs with their alignment).

    Raises:
        Refused: a required field is missing or wrong, or the text has no body; nothing of it may be stored.
    """
    _require(record)
    title = _unspaced(clean_line(str(record["title"])))
    lines, strays = _lines(record["paragraphs"])
    reader = _Reader(lines)
    for at, stray in strays:
        reader.report("paragraphs", f"第{at}段有残留的网页标记“{stray}”，已去掉")
    number = _number(record, reader)
    _head(reader, title)
    recipients = _recipients(reader)
    body, attachments = _body(reader)
    if not body:
        raise Refused([Finding("paragraphs", "未找到正文")])
    signatures, issued_on = _signature(reader, record)
    note = _note(reader)
    annexes = _annexes(reader, _bare(title), tuple(_bare(name) for name in attachments))
    kind = kind_of_title(title, number)
    if kind is None:
        reader.report("title", "标题末尾和发文字号都看不出文种，按“通知”登记")
        kind = Kind.NOTICE
    return Recognised(
        title=title,
        number=number,
        issuer=clean_line(str(record["issuer"])),
        kind=kind,
        topic=clean_line(str(record.get("topic") or "")),
        recipients=recipients,
        body=body,
        signatures=signatures,
        issued_on=issued_on,
        published_on=_iso_date(record.get("published_on")),
        note=note,
        attachments=attachments or tuple(a.title for a in annexes if a.label),
        annexes=annexes,
        index_number=clean_line(str(record.get("index_number") or "")),
        findings=tuple(reader.findings),
    )


def _require(record: Mapping[str, Any]) -> None:
    wrong = [Finding(name, "缺少此项") for name in _REQUIRED if not record.get(name)]
    title = record.get("title")
    if title is not None and not isinstance(title, str):
        wrong.append(Finding("title", "应为文字"))
    elif title and not clean_line(title):
        wrong.append(Finding("title", "只有空格"))
    elif title and len(title) > LONGEST_TITLE:
        wrong.append(Finding("title", f"标题{len(title)}字，超过{LONGEST_TITLE}字"))
    paragraphs = record.get("paragraphs")
    if paragraphs and not (
        isinstance(paragraphs, list) and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in paragraphs)
    ):
        wrong.append(Finding("paragraphs", "应为段落列表，每段有text和align"))
    for name in ("written_on", "published_on"):
        if record.get(name) and _iso_date(record[name]) is None:
            wrong.append(Finding(name, f"不是有效日期：{record[name]}"))
    if wrong:
        raise Refused(wrong)


def _iso_date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def _lines(paragraphs: Sequence[Mapping[str, Any]]) -> tuple[list[tuple[Align, str]], list[tuple[int, str]]]:
    """The paragraphs' cleaned lines, and the leftovers of web pages that were taken out (paragraph, what)."""
    lines, strays = [], []
    for number, p in enumerate(paragraphs, 1):
        strays += [(number, stray) for stray in _STRAY.findall(p["text"])]
        align = p.get("align") if p.get("align") in set(Align) else Align.LEFT
        if text := clean_line(_STRAY.sub(" ", p["text"])):
            lines.append((Align(str(align)), _unspaced(text)))
    return lines, strays


def _unspaced(text: str) -> str:
    """Letter-spaced titles (国 务 院 工 作 规 则) without their spaces; 第一章　总　则 keeps its first."""
    return re.sub(r"[ \u3000]", "", text) if _SPACED.match(text) else text


def _bare(text: str) -> str:
    return re.sub(r"[\s\u3000]", "", text)


def _number(record: Mapping[str, Any], reader: _Reader) -> str:
    raw = clean_line(str(record["document_number"]))
    parsed = parse_number(raw)
    if parsed is None:
        reader.report("document_number", f"不是“代字〔年份〕序号”的形式，照原样保存：{raw}")
        return raw
    return str(parsed)


def _head(reader: _Reader, title: str) -> None:
    """Title lines and number: the centred lines at the top."""
    seen = ""
    while (line := reader.peek()) and line[0] is Align.CENTER:
        seen += _bare(reader.take()[1])
    if not seen:
        reader.report("title", "正文之前没有居中的标题")
    elif _bare(title) not in seen and "令" not in seen:
        reader.report("title", f"文中标题与题名不一致：{seen[:60]}")


def _recipients(reader: _Reader) -> str:
    line = reader.peek()
    if line and line[0] is Align.LEFT and line[1].endswith(("：", ":")) and len(line[1]) <= 300 and "。" not in line[1]:
        return reader.take()[1].rstrip("：:")
    reader.report("recipients", "未找到主送机关")
    return ""


def _body(reader: _Reader) -> tuple[tuple[Paragraph, ...], tuple[str, ...]]:
    """Paragraphs up to the signature; 附件说明 at its end is taken apart."""
    body: list[Paragraph] = []
    attachments: list[str] = []
    while line := reader.peek():
        if line[0] is Align.RIGHT or (line[0] is Align.CENTER and _LABEL.match(line[1])):
            break
        align, text = reader.take()
        if re.match(r"附件[:：]\s*\S", text):
            attachments.append(re.sub(r"^附件[:：]\s*(?:1[.．]\s*)?", "", text).rstrip("。；"))
        elif attachments and re.match(r"\d{1,2}[.．]", text):
            attachments.append(re.sub(r"^\d{1,2}[.．]\s*", "", text).rstrip("。；"))
        else:
            body.append(paragraph_of(text, align))
    return tuple(body), tuple(attachments)


def _signature(reader: _Reader, record: Mapping[str, Any]) -> tuple[tuple[str, ...], date]:
    names: list[str] = []
    found: date | None = None
    while (line := reader.peek()) and line[0] is Align.RIGHT and found is None:
        text = reader.take()[1]
        found = parse_date(text)
        if found is None:
            names.append(text)
    stated = _iso_date(record.get("written_on"))
    if found is None and stated is None:
        raise Refused([Finding("written_on", "文中和登记项都没有成文日期")])
    if not names:
        reader.report("signature", "未找到发文机关署名")
    if found is None:
        reader.report("written_on", "文中未找到成文日期，用登记的日期")
    elif stated and stated != found:
        reader.report("written_on", f"登记的日期{stated}与文中成文日期{found}不一致，以文中为准")
    day = found or stated
    assert day is not None
    return tuple(names) or (clean_line(str(record["issuer"])),), day


def _note(reader: _Reader) -> str:
    """附注: lines in brackets right below the date."""
    notes = []
    while (
        (line := reader.peek()) and re.fullmatch(r"[（(][^（）()]{1,60}[）)]", line[1]) and line[0] is not Align.CENTER
    ):
        notes.append(reader.take()[1][1:-1])
    return "；".join(notes)


def _is_complete(title: str, following: str, main_title: str, named: tuple[str, ...]) -> bool:
    """Whether an attachment's title ends here: 附件说明 or the document's own title names it, or a bracket follows."""
    if title in named or following.startswith(("（", "(")):
        return True
    return title in main_title and _bare(title + following) not in main_title


def _annexes(reader: _Reader, main_title: str, named: tuple[str, ...]) -> tuple[Annex, ...]:
    """What follows the signature: texts that begin with 附件 or with a centred title."""
    annexes: list[Annex] = []
    while reader.peek():
        label = ""
        line = reader.peek()
        if line and _LABEL.match(line[1]):
            label = _bare(reader.take()[1]).rstrip("：:")
        title = ""
        while (line := reader.peek()) and line[0] is Align.CENTER and not paragraph_of(line[1], line[0]).heading:
            if title and _is_complete(title, line[1], main_title, named):
                break
            title += _bare(reader.take()[1])
        paragraphs = []
        while (line := reader.peek()) and not _LABEL.match(line[1]):
            paragraphs.append(paragraph_of(line[1], line[0]))
            reader.at += 1
        if not title and not annexes:
            reader.report("annex", "署名之后的文字没有标题")
        if len(title) > LONGEST_TITLE:
            reader.report("annex", "附件标题过长，已截断")
            title = title[:LONGEST_TITLE]
        annexes.append(Annex(title=title, body=tuple(paragraphs), label=label))
    return tuple(annexes)

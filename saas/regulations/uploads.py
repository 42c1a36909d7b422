"""Reads an uploaded file of regulations (JSON Lines, plain text or Word) into the lines that are loaded."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree

from django.utils.translation import gettext as _

from saas.core.errors import Invalid
from saas.regulations.numerals import NUMERAL
from saas.regulations.parsing import LONGEST_TEXT

MOST_BYTES = 20_000_000
SUFFIXES = (".jsonl", ".txt", ".docx")
# Word stores a text of `LONGEST_TEXT` characters with its formatting in far less than this.
_MOST_XML = 60_000_000
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHAPTER = re.compile(rf"第{NUMERAL}{{1,5}}[编章](?:[\s\u3000]|$)")
_SECTION = re.compile(rf"第{NUMERAL}{{1,5}}节(?:[\s\u3000]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a text or Word file does not say of itself.

    Attributes:
        title: its name; empty for the file's first line.
        kind: what it is, such as 规章制度.
        subject: what it is about, may be empty.
        history: when and how it was issued, such as 2026年1月5日 印发.
    """

    title: str
    kind: str
    subject: str
    history: str


def lines_of(*, name: str, content: bytes, about: About) -> list[str]:
    """The file as lines of JSON, one regulation each.

    Args:
        name: the file's name; its ending says how it is read.
        content: all of it.
        about: what is said of a text or Word file; not asked of JSON Lines.

    Raises:
        Invalid: the file is not what its name says, is empty, or something of `about` is missing.
    """
    if len(content) > MOST_BYTES:
        raise _wrong(_("文件超过 %(most)d MB。") % {"most": MOST_BYTES // 1_000_000})
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    if suffix == ".jsonl":
        return _decoded(content, encodings=("utf-8-sig",)).split("\n")
    if suffix == ".txt":
        text = _decoded(content, encodings=("utf-8-sig", "gb18030"))
    elif suffix == ".docx":
        text = _word_text(content)
    else:
        raise _wrong(_("只接受 JSON Lines（.jsonl）、纯文本（.txt）和 Word（.docx）文件。"))
    return [_one(text, about)]


def _one(text: str, about: About) -> str:
    lines = [line.strip(" \t\u3000\r\ufeff") for line in text.split("\n")]
    title = about.title.strip()
    first = next((index for index, line in enumerate(lines) if line), None)
    if first is None:
        raise _wrong(_("文件里没有文字。"))
    if not title or lines[first] == title:
        title, lines = lines[first], lines[first + 1 :]
    if not about.kind.strip():
        raise Invalid(_("制度没有导入，请先改正。"), fields={"kind": _("请填写类别。")})
    body = "\n".join(_marked(line) for line in lines)
    if len(body) > LONGEST_TEXT:
        raise _wrong(_("正文超过 %(most)d 字。") % {"most": LONGEST_TEXT})
    history = [about.history.strip()] if about.history.strip() else []
    whole = {"title": title, "kind": about.kind, "subject": about.subject, "history": history, "text": body}
    return json.dumps(whole, ensure_ascii=False)


def _marked(line: str) -> str:
    """Headings of chapters and sections as the parser knows them."""
    if _CHAPTER.match(line):
        return f"## {line}"
    return f"### {line}" if _SECTION.match(line) else line


def _decoded(content: bytes, *, encodings: tuple[str, ...]) -> str:
    if b"\x00" in content:
        raise _wrong(_("这不是文本文件。"))
    for encoding in encodings:
        try:
            return content.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    raise _wrong(_("文字编码无法识别，请另存为 UTF-8 后再上传。"))


def _word_text(content: bytes) -> str:
    """The paragraphs of a Word document, one a line; tables cell by cell, without pictures and notes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            part = archive.getinfo("word/document.xml")
            if part.file_size > _MOST_XML:
                raise _wrong(_("正文超过 %(most)d 字。") % {"most": LONGEST_TEXT})
            xml = archive.read(part)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError):
        raise _wrong(_("这不是 Word（.docx）文件，或者文件已损坏、已加密。")) from None
    # Word writes no document type; one could only be there to expand entities without end.
    if b"<!DOCTYPE" in xml:
        raise _wrong(_("这不是 Word（.docx）文件，或者文件已损坏、已加密。"))
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314 - no document type, so no entities
    except ElementTree.ParseError:
        raise _wrong(_("这不是 Word（.docx）文件，或者文件已损坏、已加密。")) from None
    return "\n".join(_paragraph(element) for element in root.iter(f"{_WORD}p"))


def _paragraph(element: ElementTree.Element) -> str:
    pieces = []
    for part in element.iter():
        if part.tag == f"{_WORD}t":
            pieces.append(part.text or "")
        elif part.tag in {f"{_WORD}br", f"{_WORD}cr"}:
            pieces.append("\n")
        elif part.tag == f"{_WORD}tab":
            pieces.append(" ")
    return "".join(pieces)


def _wrong(reason: str) -> Invalid:
    return Invalid(_("制度没有导入，请先改正。"), fields={"file": reason})

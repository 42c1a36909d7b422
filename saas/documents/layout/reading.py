"""Reads a finished PDF back: its text, to compare with what was pinned, and its pages as pictures."""

from __future__ import annotations

import io
import re
import threading
import unicodedata
from collections.abc import Iterator

import pypdfium2
from django.utils.translation import gettext as _

from saas.core.errors import Invalid, NotFound
from saas.documents.layout.content import DocumentContent, chinese_date

# PDFium keeps global state: one thread at a time.
_PDFIUM = threading.Lock()
_POINTS_PER_MM = 72 / 25.4
_BLANKS = re.compile(r"[\s\u3000\u200b\ufeff]+")
_TEXT_AREA_MM = (24.0, 34.0, 188.0, 263.0)  # left, top, right, bottom: the text area and a little, without 页码


def page_count(pdf: bytes) -> int:
    """How many pages the file has.

    Raises:
        Invalid: it is not a PDF that can be opened (broken or encrypted).
    """
    with _PDFIUM:
        document = _open(pdf)
        try:
            return len(document)
        finally:
            document.close()


def page_png(pdf: bytes, *, page: int, width_px: int) -> bytes:
    """One page as a PNG.

    Args:
        pdf: the file.
        page: from 1.
        width_px: width of the picture in pixels, at most 2,000.

    Raises:
        Invalid: not a readable PDF.
        NotFound: no such page.
    """
    with _PDFIUM:
        document = _open(pdf)
        try:
            if not 1 <= page <= len(document):
                raise NotFound(_("没有这一页。"))
            sheet = document[page - 1]
            image = sheet.render(scale=min(width_px, 2000) / sheet.get_width()).to_pil()
        finally:
            document.close()
    out = io.BytesIO()
    image.convert("RGB").quantize(64).save(out, format="PNG")
    return out.getvalue()


def _open(pdf: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        raise Invalid(_("文件不是可以打开的 PDF（可能已损坏或加密）。"), code="pdf.unreadable") from error


def text_of(pdf: bytes) -> str:
    """The text inside the text area of every page, in reading order, without blanks (page numbers stand outside)."""
    left, top, right, bottom = (value * _POINTS_PER_MM for value in _TEXT_AREA_MM)
    pieces = []
    with _PDFIUM:
        document = _open(pdf)
        try:
            for sheet in document:
                height = sheet.get_height()
                page = sheet.get_textpage()
                pieces.append(page.get_text_bounded(left, height - bottom, right, height - top))
        finally:
            document.close()
    return normal_form("".join(pieces))


def normal_form(text: str) -> str:
    """Text as it is compared: compatibility forms folded, blanks gone, a line-end hyphen a hyphen."""
    folded = unicodedata.normalize("NFKC", text.replace("\ufffe", "-").replace("\x02", "-"))
    return _BLANKS.sub("", folded)


def expected_text(content: DocumentContent, *, recipients_moved: bool) -> str:
    """What `text_of` must read in the PDF of `content`."""
    return normal_form("".join(_printed(content, recipients_moved)))


def _printed(content: DocumentContent, recipients_moved: bool) -> Iterator[str]:
    yield from (content.copy_number, content.urgency, content.mark, content.number)
    if content.signers:
        yield "签发人："
        yield from content.signers
    yield content.title
    if content.recipients and not recipients_moved:
        yield content.recipients + "："
    yield from (p.whole for p in content.body)
    if content.attachments:
        yield "附件："
        for number, name in enumerate(content.attachments, 1):
            yield f"{number}.{name}" if len(content.attachments) > 1 else name
    yield from content.signatures
    yield chinese_date(content.issued_on)
    if content.note:
        yield f"（{content.note}）"
    for annex in content.annexes:
        yield annex.label + annex.title
        yield from (p.whole for p in annex.body)
    if recipients_moved:
        yield f"主送：{content.recipients}。"
    if content.cc:
        yield f"抄送：{content.cc}。"
    if content.printer or content.printed_on:
        yield content.printer + chinese_date(content.printed_on) + "印发"


def first_difference(expected: str, found: str) -> str:
    """Where two texts part, with a little of both sides; empty when they are equal."""
    if expected == found:
        return ""
    at = next(
        (i for i, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b), min(len(expected), len(found))
    )
    return f"第{at + 1}字起：应为“{expected[at : at + 12]}”，实为“{found[at : at + 12]}”"


__all__ = ["expected_text", "first_difference", "normal_form", "page_count", "page_png", "text_of"]

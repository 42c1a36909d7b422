"""Reads a finished PDF back: its text, to compare with what was pinned, and its pages as pictures."""

from __future__ import annotations

import io
import math
import re
import unicodedata
from collections.abc import Iterator

from django.utils.translation import gettext as _

from saas.core.errors import Invalid, NotFound
from saas.core.pdfium import PdfDocument, PdfiumError, PdfPage, drawn, opened, picture_sizes
from saas.documents.layout.content import DocumentContent, chinese_date
from saas.documents.layout.scans import check_pixels

_POINTS_PER_MM = 72 / 25.4
_NARROWEST, _WIDEST = 20 * _POINTS_PER_MM, 5000 * _POINTS_PER_MM
_MOST_DRAWN = 8_000_000  # pixels of a sheet's picture; an A4 sheet of 2,000 has 5.7 million
_BLANKS = re.compile(r"[\s\u3000\u200b\ufeff]+")
_TEXT_AREA_MM = (24.0, 34.0, 188.0, 263.0)  # left, top, right, bottom: the text area and a little, without 页码


def page_count(pdf: bytes) -> int:
    """How many pages the file has.

    Raises:
        Invalid: it is not a PDF that can be opened (broken or encrypted).
    """
    with opened(pdf) as document:
        return len(document)


def check_pages(pdf: bytes) -> None:
    """Refuse a PDF from outside of which a page could not be shown as a sheet.

    Raises:
        Invalid: a page cannot be read, is no sheet (narrower than 2 cm, larger than 5 m), or has a picture of more
            pixels than a sheet can have.
    """
    with opened(pdf) as document:
        for index in range(len(document)):
            _sheet(document, index + 1)


def page_png(pdf: bytes, *, page: int, width_px: int) -> bytes:
    """One page as a PNG.

    Args:
        pdf: the file.
        page: from 1.
        width_px: width of the picture in pixels, at most 2,000; less when the page is so long that it would have
            more than 8 million.

    Raises:
        Invalid: not a readable PDF, or a page that is refused by `check_pages`.
        NotFound: no such page.
    """
    with opened(pdf) as document:
        if not 1 <= page <= len(document):
            raise NotFound(_("没有这一页。"))
        sheet = _sheet(document, page)
        width, height = sheet.get_size()
        scale = min(min(width_px, 2000) / width, math.sqrt(_MOST_DRAWN / (width * height)))
        image = drawn(sheet, scale=scale)
    out = io.BytesIO()
    image.convert("RGB").quantize(64).save(out, format="PNG")
    return out.getvalue()


def _sheet(document: PdfDocument, number: int) -> PdfPage:
    try:
        sheet = document[number - 1]
        width, height = sheet.get_size()
        pictures = picture_sizes(sheet)
    except PdfiumError as error:
        raise Invalid(_("第%(n)d页不能读取，文件可能已损坏。") % {"n": number}, code="pdf.unreadable") from error
    if not (_NARROWEST <= width <= _WIDEST and _NARROWEST <= height <= _WIDEST):
        raise Invalid(_("第%(n)d页的纸张尺寸不合规，不能显示。") % {"n": number}, code="pdf.page_size")
    for picture in pictures:
        check_pixels(*picture)
    return sheet


def text_of(pdf: bytes) -> str:
    """The text inside the text area of every page, in reading order, without blanks (page numbers stand outside)."""
    left, top, right, bottom = (value * _POINTS_PER_MM for value in _TEXT_AREA_MM)
    pieces = []
    with opened(pdf) as document:
        for sheet in document:
            height = sheet.get_height()
            page = sheet.get_textpage()
            pieces.append(page.get_text_bounded(left, height - bottom, right, height - top))
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


__all__ = ["check_pages", "expected_text", "first_difference", "normal_form", "page_count", "page_png", "text_of"]

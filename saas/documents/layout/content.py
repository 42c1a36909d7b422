"""What a document is made of, as values: the one shape that drafting, numbering, rendering and comparing share."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date


class Align(enum.StrEnum):
    """How a paragraph stands in its line."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


class Closing(enum.StrEnum):
    """How a document ends: GB/T 9704-2012, 7.3.5 sets name and date differently with and without a seal."""

    SEALED = "sealed"
    UNSEALED = "unsealed"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of a body or an attachment.

    Attributes:
        text: the running text (after the heading, where there is one).
        level: 1 for 一、, 2 for （一）, 3 for 1., 4 for （1）; 0 for plain text.
        heading: the part set in the heading's font, number included; empty for plain text.
        align: where the paragraph stands.
    """

    text: str
    level: int = 0
    heading: str = ""
    align: Align = Align.LEFT

    @property
    def whole(self) -> str:
        """The paragraph as one string."""
        return self.heading + self.text


@dataclass(frozen=True, slots=True)
class Annex:
    """The text of an attachment that is printed with the document, on pages of its own.

    `label` is ``附件``, ``附件1`` or empty (what a 印发 or 转发 document carries has none).
    """

    title: str
    body: tuple[Paragraph, ...]
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentContent:
    """The elements of one document in the 文件 form (GB/T 9704-2012, chapter 7), as they are printed.

    Attributes:
        mark: 发文机关标志, the red head, e.g. ``云州市大数据局文件``.
        number: 发文字号 as printed; empty before 登记.
        signers: 签发人, upward documents only.
        urgency: ``特急``, ``加急`` or empty.
        copy_number: 份号, up to six digits, or empty.
        title: 标题; a line break in it is the author's own and is kept where it fits.
        recipients: 主送机关 without the closing colon.
        attachments: names for 附件说明.
        signatures: 署名, one for each issuer.
        issued_on: 成文日期; None before 签发.
        note: 附注 without its brackets.
        cc: 抄送机关 without the closing full stop.
        printer: 印发机关.
        printed_on: 印发日期.
    """

    mark: str
    title: str
    body: tuple[Paragraph, ...]
    number: str = ""
    signers: tuple[str, ...] = ()
    urgency: str = ""
    copy_number: str = ""
    recipients: str = ""
    attachments: tuple[str, ...] = ()
    annexes: tuple[Annex, ...] = ()
    signatures: tuple[str, ...] = ()
    issued_on: date | None = None
    closing: Closing = Closing.SEALED
    note: str = ""
    cc: str = ""
    printer: str = ""
    printed_on: date | None = None


@dataclass(frozen=True, slots=True)
class SealAnchor:
    """The middle of a name and date: where a seal is centred. Page from 1; millimetres from the sheet's top left."""

    page: int
    x_mm: float
    y_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPdf:
    """A finished PDF and what was learnt while it was made.

    Attributes:
        pdf: the file; the same content, fonts and template always give the same bytes.
        pages: number of pages.
        missing_glyphs: characters the document's own font lacks, which were set in the fallback font.
        seal_anchors: one for each signature.
        recipients_moved: the recipients stand in the 版记, because page 1 would have shown no body text.
    """

    pdf: bytes = field(repr=False)
    pages: int
    missing_glyphs: tuple[str, ...]
    seal_anchors: tuple[SealAnchor, ...]
    recipients_moved: bool = False

    @property
    def seal_anchor(self) -> SealAnchor | None:
        """The anchor of the last signature, which is the one that covers the date."""
        return self.seal_anchors[-1] if self.seal_anchors else None


def chinese_date(day: date | None) -> str:
    """成文日期: Arabic digits, no leading zeros (GB/T 9704-2012, 7.3.5.4)."""
    return f"{day.year}年{day.month}月{day.day}日" if day else ""

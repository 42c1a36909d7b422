"""The one door to PDFium. The library keeps global state, so one thread of a process is inside it at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from PIL.Image import Image
from pypdfium2 import PdfDocument, PdfiumError, PdfPage, raw

from saas.core.errors import Invalid

_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def opened(pdf: bytes) -> Iterator[PdfDocument]:
    """A PDF, open inside the block; nothing of it may be used after.

    Raises:
        Invalid: it is not a PDF that can be opened (broken or encrypted).
    """
    with _ONE_AT_A_TIME:
        try:
            document = PdfDocument(pdf)
        except PdfiumError as error:
            raise Invalid(_("文件不是可以打开的 PDF（可能已损坏或加密）。"), code="pdf.unreadable") from error
        try:
            yield document
        finally:
            document.close()


def drawn(page: PdfPage, *, scale: float) -> Image:
    """A page of an open PDF as a picture of its own, which outlives the PDF; one pixel a point at scale 1."""
    bitmap = page.render(scale=scale)
    try:
        picture: Image = bitmap.to_pil().copy()
        return picture
    finally:
        bitmap.close()


def picture_sizes(page: PdfPage) -> list[tuple[int, int]]:
    """Width and height in pixels of every picture on a page of an open PDF."""
    return [image.get_px_size() for image in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])]


__all__ = ["PdfDocument", "PdfPage", "PdfiumError", "drawn", "opened", "picture_sizes"]

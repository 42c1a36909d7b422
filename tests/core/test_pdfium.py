"""PDFium: one thread inside at a time, and a picture that outlives its PDF."""

from __future__ import annotations

import threading

import pytest

from saas.core.errors import Invalid
from saas.core.pdfium import drawn, opened

# One empty page of 20 × 10 points; the reader mends what a cross-reference table would say.
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 20 10]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)


def test_a_second_thread_waits_until_the_first_has_closed_its_pdf() -> None:
    entered = threading.Event()

    def second() -> None:
        with opened(PDF):
            entered.set()

    thread = threading.Thread(target=second)
    with opened(PDF):
        thread.start()
        assert not entered.wait(0.3)
    thread.join(10)
    assert entered.is_set()


def test_a_picture_outlives_its_pdf_and_a_broken_file_gives_the_lock_back() -> None:
    with pytest.raises(Invalid):
        opened(b"%PDF-1.7 broken").__enter__()
    with opened(PDF) as document:
        picture = drawn(document[0], scale=2)
    assert picture.size == (40, 20)
    assert picture.getpixel((39, 19)) == (255, 255, 255)

"""Scans: what cannot be shown at a known cost is refused before it takes a number, and no page costs more."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import pytest
from django.test import Client
from PIL import Image

from saas.core.errors import Invalid
from saas.documents import services
from saas.documents.layout.reading import page_png
from saas.documents.layout.scans import picture_png
from saas.documents.models import Document, NumberEntry
from tests.documents.conftest import Office
from tests.documents.test_services import incoming_input
from tests.seals.test_hostile_files import pdf


def picture(width: int, height: int, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("L", (width, height), 255).save(out, format=form)
    return out.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose head tells a size and which has next to nothing behind it."""
    head = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    data = b"IDAT" + zlib.compress(b"\x00" * 64)
    chunks = b"".join(
        (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
        for chunk in (head, data, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def page(width: float, height: float, more: str = "", **objects: str) -> bytes:
    return pdf(
        {
            1: "<< /Type /Catalog /Pages 2 0 R >>",
            2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] {more} >>",
            **{int(number[1:]): text for number, text in objects.items()},
        }
    )


def with_picture(width: int, height: int) -> bytes:
    image = f"<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray "
    return page(
        595,
        842,
        "/Resources << /XObject << /I 5 0 R >> >> /Contents 4 0 R",
        o4="<< /Length 25 >>\nstream\nq 595 0 0 842 0 0 cm /I Do Q\nendstream",
        o5=image
        + "/BitsPerComponent 8 /Filter /FlateDecode /Length 8 >>\nstream\n\x78\x01\x03\x00\x00\x00\x00\x01\nendstream",
    )


BAD = {
    "a narrow strip": page(10, 1000),
    "a narrower one": page(10, 2000),
    "a page of a kilometre": page(2_834_646, 842),
    "a picture of 20,000 squared in a page": with_picture(20_000, 20_000),
    "a picture of 20,000 squared": png_of_size(20_000, 20_000),
    "a picture of 13,000 squared": png_of_size(13_000, 13_000),
    "a long strip": png_of_size(200_000, 10),
    "a picture cut off": picture(2000, 2000)[:-40],
    "a JPEG cut off": picture(2000, 2000, "JPEG")[:3000],
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_scan_that_cannot_be_shown_takes_no_number(office: Office, content: bytes) -> None:
    with pytest.raises(Invalid):
        services.incoming_register(incoming=incoming_input(), pdf=content, by=office.clerk)
    assert not Document.objects.exists()
    assert not NumberEntry.objects.exists()


def test_a_page_is_drawn_within_its_pixels_however_long_it_is() -> None:
    drawn = Image.open(io.BytesIO(page_png(page(100, 14_000), page=1, width_px=1000)))
    assert drawn.width * drawn.height <= 8_100_000
    usual = Image.open(io.BytesIO(page_png(page(595, 842), page=1, width_px=1000)))
    assert (usual.width, usual.height) == (1000, 1416)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_scan_that_came_as_a_picture_is_shown_at_the_sheets_width(
    office: Office, as_user: Callable[..., Client], form: str
) -> None:
    document = services.incoming_register(incoming=incoming_input(), pdf=picture(2480, 3508, form), by=office.clerk)
    desk = as_user(office.users["clerk"])
    answer = desk.get(f"/documents/{document.id}/sheets/1.png")
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).size == (1000, 1414)
    assert desk.get(f"/documents/{document.id}/sheets/2.png").status_code == 404


def test_a_small_picture_stays_as_it_is() -> None:
    assert Image.open(io.BytesIO(picture_png(picture(300, 200), width_px=1000))).size == (300, 200)

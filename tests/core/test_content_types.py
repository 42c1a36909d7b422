"""A file is what its bytes say, whatever its name."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook

from saas.core.errors import Invalid
from saas.core.storage import SNIFF_BYTES, ContentType, require_content_type, sniff_content_type


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.writestr(name, "word/ xl/ OFD.xml " * 20)
    return file.getvalue()[:SNIFF_BYTES]


def workbook() -> bytes:
    file = io.BytesIO()
    Workbook().save(file)
    return file.getvalue()[:SNIFF_BYTES]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"%PDF-1.7\n", ContentType.PDF),
        (b"\x89PNG\r\n\x1a\n\0\0", ContentType.PNG),
        (b"\xff\xd8\xff\xe0", ContentType.JPEG),
        (archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), ContentType.DOCX),
        (archive("OFD.xml", "Doc_0/Document.xml"), ContentType.OFD),
        (archive("照片.txt"), ContentType.ZIP),
        (workbook(), ContentType.XLSX),
        ("关于做好工作的通知\r\n".encode(), ContentType.TXT),
        ("关于做好工作的通知".encode("gb18030"), ContentType.TXT),
        ("通知".encode()[:4], ContentType.TXT),
        (b"MZ\x90\x00\x03", None),
        (b"", None),
        (b"\x7fELF\x02\x01\x01\x00", None),
    ],
)
def test_the_first_bytes_decide(head: bytes, expected: ContentType | None) -> None:
    assert sniff_content_type(head) is expected


def test_a_file_that_is_not_what_is_asked_for_is_named_in_the_refusal() -> None:
    with pytest.raises(Invalid) as refusal:
        require_content_type(b"\x89PNG\r\n\x1a\n", allowed={ContentType.PDF})
    assert refusal.value.code == "file.wrong_type"
    assert "PNG" in str(refusal.value)
    assert "PDF" in str(refusal.value)


def test_a_program_is_refused() -> None:
    with pytest.raises(Invalid):
        require_content_type(b"MZ\x90\x00", allowed=frozenset(ContentType))

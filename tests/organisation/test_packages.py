"""What pretends to be a workbook is refused before anything parses it."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from saas.core.errors import Invalid, TooLarge
from saas.organisation.workbook.reading import check_package, read
from tests.organisation import books


def check(content: bytes) -> None:
    check_package(io.BytesIO(content), size=len(content))


def test_a_plain_workbook_passes_and_is_left_at_its_beginning() -> None:
    file = io.BytesIO(books.whole())
    check_package(file, size=file.getbuffer().nbytes)
    assert file.tell() == 0
    assert read(file).count == 9


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "不是 Excel"),
        (b"\xff\xfeg\x00b\x00k\x00", "不是 Excel"),
        ("工号,姓名\n1,李".encode("gb18030"), "不是 Excel"),
        (b"%PDF-1.7\n", "不是 Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "旧版"),
        (b"PK\x03\x04 and then nothing", "损坏"),
        (books.package({"word/document.xml": b"<w/>"}), "不是 Excel"),
        (books.with_part(books.whole(), "xl/vbaProject.bin", b"macro"), "宏"),
        (books.with_part(books.whole(), "xl/macrosheets/sheet1.xml", b"<x/>"), "宏"),
        (
            books.with_part(books.whole(), "xl/sharedStrings.xml", b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'),
            "不允许",
        ),
        (
            books.with_part(
                books.whole(), "xl/sharedStrings.xml", b"<!--" + b" " * (1 << 20) + b"-->" + b"<!DOCTYPE a><a/>"
            ),
            "不允许",
        ),
        (books.with_part(books.whole(), "xl/styles.xml", "<!DOCTYPE a><a/>".encode("utf-16")), "不允许"),
    ],
)
def test_other_formats_macros_and_entities_are_refused_with_their_reason(content: bytes, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        check(content)


def test_a_bomb_is_refused_by_what_it_says_it_unpacks_to() -> None:
    bomb = books.with_part(books.whole(), "xl/media/bomb.bin", b"\0" * (160 << 20))
    assert len(bomb) < 1 << 20
    with pytest.raises(TooLarge):
        check(bomb)


def test_a_bomb_that_lies_about_its_size_does_not_unpack() -> None:
    content = bytearray(books.with_part(books.whole(), "xl/worksheets/bomb.xml", b"<a>" + b" " * (20 << 20) + b"</a>"))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        info = archive.getinfo("xl/worksheets/bomb.xml")
    # The central directory's entry: let it claim ten bytes.
    at = content.rfind(b"xl/worksheets/bomb.xml") - 46
    struct.pack_into("<I", content, at + 24, 10)
    assert info.file_size > 10
    with pytest.raises(Invalid, match="损坏"):
        check(bytes(content))


def test_a_file_over_the_limit_is_too_large_and_many_parts_too() -> None:
    with pytest.raises(TooLarge):
        check_package(io.BytesIO(b"PK\x03\x04"), size=(20 << 20) + 1)
    with pytest.raises(TooLarge):
        check(books.package({f"xl/{n}.bin": b"" for n in range(400)}))


def test_damaged_xml_is_refused_as_damaged() -> None:
    with pytest.raises(Invalid, match="损坏"):
        read(io.BytesIO(books.with_part(books.whole(), "xl/workbook.xml", b"<workbook")))
    with pytest.raises(Invalid, match="损坏"):
        read(io.BytesIO(books.with_part(books.whole(), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row")))


def test_more_rows_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saas.organisation.workbook.reading.MOST_ROWS", 5)
    contents = read(io.BytesIO(books.book(people=[[str(n), "甲"] for n in range(9)])))
    assert [(p.sheet, p.row) for p in contents.problems] == [("人员", 6)]

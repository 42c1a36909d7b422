"""Makes workbooks, right ones and wrong ones, for the tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date

from openpyxl import Workbook

from saas.organisation.workbook.layout import Sheet

UNITS: list[list[object]] = [["BGS", "办公室", "办", "", 1, "BGS", "主任", "是"], ["MSK", "秘书科", "", "BGS", 2]]
POSTS: list[list[object]] = [["BGS", "主任", "主要负责人", 1, "是"], ["MSK", "科长", "主要负责人", 1]]
PEOPLE: list[list[object]] = [["1001", "李建国", "", "13800000000", "", 1], [1002, "王敏", "", "", "w@example.cn", 2]]
APPOINTMENTS: list[list[object]] = [
    ["1001", "BGS", "主任", date(2020, 1, 1), None, "", "是"],
    ["1002", "MSK", "科长", "2021-03-01", None, "否", "是"],
    ["1001", "MSK", "科长", "2019年1月1日", "2020/12/31", "是", ""],
]


class Formula(str):
    """A cell that is a formula; every other text stays a text."""


def book(
    units: Sequence[Sequence[object]] = (),
    posts: Sequence[Sequence[object]] = (),
    people: Sequence[Sequence[object]] = (),
    appointments: Sequence[Sequence[object]] = (),
) -> bytes:
    return pages(
        {
            sheet.title: [[column.heading for column in sheet.columns], *rows]
            for sheet, rows in zip(Sheet, (units, posts, people, appointments), strict=True)
        }
    )


def whole() -> bytes:
    return book(UNITS, POSTS, PEOPLE, APPOINTMENTS)


def pages(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    made = Workbook()
    for sheet in made.worksheets:
        made.remove(sheet)
    for title, rows in sheets.items():
        page = made.create_sheet(title)
        for row in rows:
            page.append(list(row))
            for cell in page[page.max_row]:
                if cell.data_type == "f" and not isinstance(row[cell.column - 1], Formula):
                    cell.data_type = "s"
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def package(parts: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    return package({**parts, name: part})

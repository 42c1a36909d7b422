"""Opens an uploaded workbook without trusting it, and gives its rows as plain values."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO, Any

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from saas.core.errors import Invalid, TooLarge
from saas.organisation.workbook.layout import (
    BY_TITLE,
    LARGEST_FILE,
    LARGEST_UNPACKED,
    MOST_PARTS,
    MOST_ROWS,
    NO,
    YES,
    Problem,
    Sheet,
)

_READ = 1 << 20
_MOST_COLUMNS = 40
Value = str | date


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not empty: its number in the sheet and its values by heading ("" where empty)."""

    number: int
    values: dict[str, Value]

    def text(self, heading: str) -> str:
        """A value as text."""
        value = self.values.get(heading, "")
        return value if isinstance(value, str) else value.isoformat()

    def value(self, heading: str) -> Value:
        """A value as text or, when the cell is a date, as a date."""
        return self.values.get(heading, "")


@dataclass(slots=True)
class Contents:
    """The rows of the sheets that were there, and what could not be read."""

    rows: dict[Sheet, list[Row]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many rows there are in all."""
        return sum(len(rows) for rows in self.rows.values())


def check_package(file: IO[bytes], *, size: int) -> None:
    """Refuse what is no plain .xlsx before anything parses it; the file is left at its beginning.

    Args:
        file: the upload, seekable.
        size: its length in bytes.

    Raises:
        TooLarge: the file, or what it unpacks to, is over its limit.
        Invalid: another format, encrypted, with macros, damaged, or with a document type of its own.
    """
    if size > LARGEST_FILE:
        raise TooLarge(_("文件过大，最多 %(most)d MB。") % {"most": LARGEST_FILE >> 20}, fields={"file": _("文件过大")})
    file.seek(0)
    magic = file.read(8)
    if magic.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refused(_("这是旧版 .xls 或加密的文件，请另存为不加密的 .xlsx。"))
    if not magic.startswith(b"PK\x03\x04"):
        raise _refused(_("这不是 Excel 工作簿（.xlsx）。"))
    try:
        with zipfile.ZipFile(file) as package:
            _check_parts(package)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise _refused(_("文件已损坏，无法打开。")) from error
    file.seek(0)


def _check_parts(package: zipfile.ZipFile) -> None:
    parts = package.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise TooLarge(
            _("文件展开后超过 %(most)d MB，已拒绝。") % {"most": LARGEST_UNPACKED >> 20}, fields={"file": _("文件过大")}
        )
    names = {part.filename.lower() for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise _refused(_("文件已加密，请另存为不加密的 .xlsx。"))
    if "xl/workbook.xml" not in names:
        raise _refused(_("这不是 Excel 工作簿（.xlsx）。"))
    if any("vbaproject" in name or "/macrosheets/" in name for name in names):
        raise _refused(_("工作簿含有宏，请另存为不含宏的 .xlsx。"))
    for part in parts:
        if part.filename.lower().endswith((".xml", ".rels")):
            _refuse_document_type(package, part)


def _refuse_document_type(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    # A document type can define entities that grow without limit; no spreadsheet has one.
    tail = b""
    with package.open(part) as stream:
        while block := stream.read(_READ):
            plain = (tail + block).replace(b"\x00", b"").upper()
            if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
                raise _refused(_("文件含有不允许的内容，已拒绝。"))
            tail = block[-32:]


def read(file: IO[bytes], *, tick: Callable[[], None] = lambda: None) -> Contents:
    """The rows of a workbook that `check_package` has let through.

    Args:
        file: the workbook, seekable.
        tick: called after each row.

    Raises:
        Invalid: it cannot be parsed at all.
    """
    try:
        book = load_workbook(file, read_only=True, data_only=False, keep_links=False)
    except Exception as error:  # openpyxl raises whatever its parsers do on damaged XML
        raise _refused(_("文件已损坏，无法打开。")) from error
    contents = Contents()
    try:
        for worksheet in book.worksheets:
            sheet = BY_TITLE.get(worksheet.title.strip())
            if sheet is not None and sheet not in contents.rows:
                contents.rows[sheet] = list(_sheet_rows(worksheet, sheet, contents, tick))
    except Invalid:
        raise
    except Exception as error:
        raise _refused(_("文件已损坏，无法打开。")) from error
    finally:
        book.close()
    if not contents.rows:
        contents.problems.append(
            Problem("", 0, "", _("没有可导入的工作表，应有：%(names)s") % {"names": "、".join(BY_TITLE)})
        )
    return contents


def _sheet_rows(worksheet: Any, sheet: Sheet, contents: Contents, tick: Callable[[], None]) -> Iterator[Row]:
    lines = worksheet.iter_rows(max_col=_MOST_COLUMNS)
    first = next(lines, ())
    headings = [str(cell.value).strip() if cell.value is not None else "" for cell in first]
    if not any(headings):
        contents.problems.append(Problem(sheet.title, 0, "", _("工作表是空的，第一行应为列名")))
        return
    if not _headings_right(headings, sheet, contents):
        return
    for number, cells in enumerate(lines, start=2):
        if number > MOST_ROWS:
            contents.problems.append(
                Problem(sheet.title, number, "", _("超过 %(most)d 行，请分几次导入") % {"most": MOST_ROWS})
            )
            return
        values = _row_values(sheet, number, zip(headings, cells, strict=False), contents)
        if values:
            tick()
            yield Row(number, values)


def _row_values(sheet: Sheet, number: int, cells: Iterable[tuple[str, Any]], contents: Contents) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for heading, cell in cells:
        if not heading or cell.value is None:
            continue
        value = _value(cell.value, cell.data_type)
        if value is None:
            reason = _("单元格应为文字、数字或日期，不能是公式或错误值")
            contents.problems.append(Problem(sheet.title, number, heading, reason))
        elif value != "":
            values[heading] = value
    return values


def _headings_right(headings: list[str], sheet: Sheet, contents: Contents) -> bool:
    known = {column.heading for column in sheet.columns}
    wrong = [Problem(sheet.title, 1, h, _("不认识的列")) for h in headings if h and h not in known]
    wrong += [
        Problem(sheet.title, 1, column.heading, _("缺少此列"))
        for column in sheet.columns
        if column.needed and column.heading not in headings
    ]
    wrong += [Problem(sheet.title, 1, h, _("列名重复")) for h in sorted(known) if headings.count(h) > 1]
    contents.problems += wrong
    return not wrong


def _value(raw: object, data_type: str) -> Value | None:
    """A cell's value, or None when it is of a kind that may not be there."""
    value: Value | None = None
    if data_type in {"f", "e"}:
        pass
    elif isinstance(raw, bool):
        value = YES if raw else NO
    elif isinstance(raw, datetime):
        value = raw.date()
    elif isinstance(raw, date):
        value = raw
    elif isinstance(raw, float):
        value = str(int(raw)) if raw.is_integer() and abs(raw) < 1e15 else repr(raw)
    elif isinstance(raw, int | str):
        value = str(raw).strip()
    return value


def _refused(message: str) -> Invalid:
    return Invalid(message, code="workbook.refused", fields={"file": message})

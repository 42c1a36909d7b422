"""Writes the organisation as the workbook that imports to the same state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from saas.accounts.models import User
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.organisation.models import Appointment, Person, Post, Unit
from saas.organisation.workbook.layout import NO, POST_KIND_NAMES, YES, Sheet

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def export_workbook(*, by: Actor) -> bytes:
    """The whole organisation; the export stands in the audit trail. Five queries."""
    content = book_of(
        {Sheet.UNITS: _units(), Sheet.POSTS: _posts(), Sheet.PEOPLE: _people(), Sheet.APPOINTMENTS: _appointments()}
    )
    record(Event.WORKBOOK_EXPORTED, by=by, target=Target("workbook", "", ""), detail={"bytes": len(content)})
    return content


def empty_workbook() -> bytes:
    """The headings alone, to be filled in."""
    return book_of(dict.fromkeys(Sheet, ()))


def book_of(rows: Mapping[Sheet, Iterable[tuple[object, ...]]]) -> bytes:
    """A workbook with these rows under the sheets' headings."""
    book = Workbook(write_only=True)
    for sheet in Sheet:
        worksheet = book.create_sheet(sheet.title)
        worksheet.freeze_panes = "A2"
        for place, column in enumerate(sheet.columns):
            worksheet.column_dimensions[chr(ord("A") + place)].width = column.width
        worksheet.append([_heading(worksheet, column.heading) for column in sheet.columns])
        for row in rows[sheet]:
            worksheet.append([_cell(worksheet, value) for value in row])
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def _heading(worksheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(worksheet, value=text)
    cell.font = Font(bold=True)
    return cell


def _cell(worksheet: Any, value: object) -> object:
    if not isinstance(value, str) or not value.startswith("="):
        return value or None if isinstance(value, str) else value
    cell = WriteOnlyCell(worksheet, value=value)
    cell.data_type = "s"  # a text that looks like a formula stays a text
    return cell


def _yes(flag: bool) -> str:
    return YES if flag else NO


def _units() -> Iterator[tuple[object, ...]]:
    units = list(Unit.objects.select_related("parent", "in_charge_post__unit").order_by("position", "code"))
    for unit in units:
        post = unit.in_charge_post
        yield (
            unit.code,
            unit.name,
            unit.short_name,
            unit.parent.code if unit.parent else "",
            unit.position,
            post.unit.code if post else "",
            post.name if post else "",
            _yes(unit.active),
        )


def _posts() -> Iterator[tuple[object, ...]]:
    posts = Post.objects.select_related("unit").order_by("unit__position", "unit__code", "position", "name")
    for post in posts:
        yield (post.unit.code, post.name, POST_KIND_NAMES[post.kind], post.position, _yes(post.active))


def _people() -> Iterator[tuple[object, ...]]:
    logins = dict(User.objects.values_list("id", "username"))
    for person in Person.objects.order_by("rank", "staff_number"):
        yield (
            person.staff_number,
            person.name,
            logins.get(person.user_id, "") if person.user_id else "",
            person.mobile,
            person.email,
            person.rank,
            _yes(person.active),
        )


def _appointments() -> Iterator[tuple[object, ...]]:
    rows = Appointment.objects.select_related("person", "post__unit")
    for one in rows.order_by("person__rank", "person__staff_number", "starts", "post__unit__code", "post__name"):
        yield (
            one.person.staff_number,
            one.post.unit.code,
            one.post.name,
            one.starts,
            one.ends,
            _yes(one.acting),
            _yes(one.primary),
        )

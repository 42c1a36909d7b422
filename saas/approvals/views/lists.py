"""The lists people work from."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET
from openpyxl import Workbook

from saas.accounts.requests import actor_of
from saas.approvals import registry, selectors, wording
from saas.approvals.engine.state import Status
from saas.approvals.selectors import Page, TodoQuery, TodoRow, TodoSort
from saas.approvals.selectors.lists import MOST_EXPORTED, PAGE_SIZE, Row
from saas.approvals.selectors.matter import names_of_assignees
from saas.approvals.views import counting
from saas.core import calendar
from saas.core.access import Permission, access
from saas.core.audit import Event, record
from saas.core.audit.services import Target


@dataclass(frozen=True, slots=True)
class Label:
    """What a small tag says in the reader's language, and how it is drawn."""

    text: str
    kind: str


_URGENT = {1: "ping", 2: "jia", 3: "te", 4: "te"}
_STATUS = {Status.RUNNING: "info", Status.SUSPENDED: "warn", Status.FINISHED: "good", Status.TERMINATED: "bad"}


@dataclass(frozen=True, slots=True)
class TodoItem:
    """A to-do with what only the page needs."""

    row: TodoRow
    kind: str
    urgency: Label
    workdays_left: int | None


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab with its count and the query it sets."""

    label: str
    count: int
    kind: str
    overdue: str
    current: bool


def workdays_left(due: datetime | None) -> int | None:
    """Working days until a limit, negative when it has passed."""
    if due is None:
        return None
    return calendar.working_days_between(timezone.localdate(), timezone.localdate(due))


def offset_of(request: HttpRequest) -> int:
    """How many rows the page leaves out; anything that is no number means none."""
    raw = request.GET.get("after", "") or request.GET.get("before", "")
    return min(int(raw), 100_000) if raw.isascii() and raw.isdigit() else 0


def paging(page: Page[Row]) -> dict[str, object]:
    """What `portal/parts/paging.html` takes."""
    first = page.offset + 1 if page.rows else 0
    last = page.offset + len(page.rows)
    return {
        "after": str(last) if page.more else "",
        "before": str(max(page.offset - PAGE_SIZE, 0)) if page.offset else "",
        "text": _("第 %(first)d–%(last)d 件") % {"first": first, "last": last},
    }


def query_of(request: HttpRequest) -> TodoQuery:
    """The filters of the address; unknown values are left out."""
    sort = request.GET.get("sort", "")
    return TodoQuery(
        kind=request.GET.get("kind", "")[:40],
        overdue=bool(request.GET.get("overdue")),
        words=request.GET.get("q", "")[:100],
        sort=TodoSort(sort) if sort in list(TodoSort) else TodoSort.DUE,
        offset=offset_of(request),
    )


@require_GET
@access(Permission.STAFF)
def todo(request: HttpRequest) -> HttpResponse:
    """待办."""
    query = query_of(request)
    counts = counting.counts(request)
    page = selectors.todo_list(counting.seats(request), query)
    kinds = registry.subject_kinds()
    tabs = [Tab(_("全部"), counts.total, "", "", not query.kind and not query.overdue)]
    tabs.append(Tab(_("超期"), counts.overdue, "", "1", query.overdue))
    tabs += [Tab(kinds.get(kind, kind), count, kind, "", query.kind == kind) for kind, count in counts.by_kind]
    items = [
        TodoItem(row, kinds.get(row.subject_kind, row.subject_kind), urgency(row.urgency), workdays_left(row.due_at))
        for row in page.rows
    ]
    context = {
        "items": items,
        "tabs": tabs,
        "counts": counts,
        "query": query,
        "sorts": [
            (TodoSort.DUE, _("按限办时间")),
            (TodoSort.RECEIVED, _("按收到时间")),
            (TodoSort.URGENCY, _("按紧急程度")),
        ],
        "kinds": [(kind, kinds.get(kind, kind)) for kind, _count in counts.by_kind],
        "page": paging(page),
        "subtitle": _subtitle(counts),
        "any_bulk": any(item.row.bulk for item in items),
        "key": uuid.uuid4().hex,
    }
    return render(request, "approvals/todo.html", context)


def urgency(weight: int) -> Label:
    """The urgency's tag; its text is empty for an ordinary matter."""
    return Label(str(wording.URGENCY.get(weight, "")), _URGENT.get(weight, "plain"))


def status_label(status: Status) -> Label:
    """The tag of an instance's state."""
    return Label(str(wording.STATUSES[status]), _STATUS[status])


def _subtitle(counts: selectors.TodoCounts) -> str:
    parts = [ngettext("%(n)d 件待办", "%(n)d 件待办", counts.total) % {"n": counts.total}]
    if counts.overdue:
        parts.append(ngettext("%(n)d 件超期", "%(n)d 件超期", counts.overdue) % {"n": counts.overdue})
    if counts.today:
        parts.append(ngettext("%(n)d 件今日到期", "%(n)d 件今日到期", counts.today) % {"n": counts.today})
    return "，".join(parts)


@require_GET
@access(Permission.STAFF)
def todo_export(request: HttpRequest) -> HttpResponse:
    """The filtered to-dos as an Excel workbook; audited."""
    query = replace(query_of(request), offset=0, limit=MOST_EXPORTED)
    page = selectors.todo_list(counting.seats(request), query)
    kinds = registry.subject_kinds()
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("待办事项"))
    sheet.append([_("标题"), _("文号"), _("紧急程度"), _("类型"), _("来源"), _("当前环节"), _("收到"), _("限办")])
    for row in page.rows:
        sheet.append(
            [
                as_text(row.title),
                as_text(row.number),
                urgency(row.urgency).text,
                kinds.get(row.subject_kind, row.subject_kind),
                as_text(row.from_label),
                as_text(row.node_name),
                timezone.localtime(row.opened_at).strftime("%Y-%m-%d %H:%M"),
                timezone.localtime(row.due_at).strftime("%Y-%m-%d %H:%M") if row.due_at else "",
            ]
        )
    content = io.BytesIO()
    book.save(content)
    record(
        Event.LIST_EXPORTED,
        by=actor_of(request),
        target=Target("list", "todo", _("待办事项")),
        detail={"rows": len(page.rows), "kind": query.kind, "words": query.words},
    )
    response = HttpResponse(
        content.getvalue(), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response["Content-Disposition"] = f'attachment; filename="todo-{timezone.localdate():%Y%m%d}.xlsx"'
    return response


def as_text(value: str) -> str:
    """Keep a spreadsheet from taking a title for a formula."""
    clean = "".join(c for c in value if c >= " ")
    return f"'{clean}" if clean[:1] in {"=", "+", "-", "@"} else clean


@require_GET
@access(Permission.STAFF)
def to_read(request: HttpRequest) -> HttpResponse:
    """待阅."""
    unread = not request.GET.get("read")
    page = selectors.read_list(counting.seats(request), unread=unread, offset=offset_of(request))
    kinds = registry.subject_kinds()
    items = [(row, kinds.get(row.subject_kind, row.subject_kind), urgency(row.urgency)) for row in page.rows]
    context = {"items": items, "unread": unread, "page": paging(page), "counts": counting.counts(request)}
    return render(request, "approvals/to_read.html", context)


@require_GET
@access(Permission.STAFF)
def supervised(request: HttpRequest) -> HttpResponse:
    """督办: what was escalated to the reader and is still with others."""
    page = selectors.supervised_list(counting.seats(request), offset=offset_of(request))
    names = names_of_assignees(row.assignee_id for row in page.rows)
    kinds = registry.subject_kinds()
    items = [
        (
            row,
            kinds.get(row.subject_kind, row.subject_kind),
            urgency(row.urgency),
            names.get(row.assignee_id, _("岗位空缺")),
            workdays_left(row.due_at),
        )
        for row in page.rows
    ]
    return render(request, "approvals/supervised.html", {"items": items, "page": paging(page)})


@require_GET
@access(Permission.STAFF)
def done(request: HttpRequest) -> HttpResponse:
    """已办."""
    words = request.GET.get("q", "")[:100]
    page = selectors.done_list(actor_of(request), words=words, offset=offset_of(request))
    kinds = registry.subject_kinds()
    items = [
        (row, kinds.get(row.subject_kind, row.subject_kind), urgency(row.urgency), status_label(Status(row.status)))
        for row in page.rows
    ]
    return render(request, "approvals/done.html", {"items": items, "words": words, "page": paging(page)})


@require_GET
@access(Permission.STAFF)
def started(request: HttpRequest) -> HttpResponse:
    """我发起的."""
    words = request.GET.get("q", "")[:100]
    running = bool(request.GET.get("running"))
    page = selectors.started_list(actor_of(request), words=words, running=running, offset=offset_of(request))
    kinds = registry.subject_kinds()
    items = [
        (row, kinds.get(row.subject_kind, row.subject_kind), urgency(row.urgency), status_label(Status(row.status)))
        for row in page.rows
    ]
    context = {"items": items, "words": words, "running": running, "page": paging(page)}
    return render(request, "approvals/started.html", context)

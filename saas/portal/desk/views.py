"""The workbench, where everybody who works here begins, and what they have put by."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from saas.accounts.requests import actor_of, user_of
from saas.approvals import registry
from saas.approvals import selectors as approvals
from saas.approvals.selectors import TodoQuery, for_desks
from saas.approvals.services import phrasing
from saas.approvals.views import counting
from saas.approvals.views.lists import TodoItem, urgency, workdays_left
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.errors import BadRequest, Invalid
from saas.documents.access import reader_of
from saas.portal.desk import selectors, services
from saas.portal.templatetags.portal import weekday
from saas.portal.views import home as first_page


@access(Permission.SIGNED_IN)
@require_GET
def home(request: HttpRequest) -> HttpResponseBase:
    """工作台 for whoever holds a post; administrators are led to the first page of their own."""
    if not user_of(request).has_permission(Permission.STAFF):
        return first_page(request)
    by, seats = actor_of(request), counting.seats(request)
    kinds = registry.subject_kinds()
    todo = approvals.todo_list(seats, TodoQuery(limit=selectors.SHOWN))
    context = {
        "greeting": _greeting(timezone.localtime(), by.user_name),
        "today": timezone.localdate(),
        "weekday": weekday(timezone.localdate()),
        "counts": counting.counts(request),
        "todo": [
            TodoItem(
                row, kinds.get(row.subject_kind, row.subject_kind), urgency(row.urgency), workdays_left(row.due_at)
            )
            for row in todo.rows
        ],
        "to_read": approvals.read_list(seats).rows[: selectors.SHOWN],
        "drafts": selectors.own_drafts(by),
        "recent": approvals.done_list(by).rows[: selectors.SHOWN],
        "news": for_desks.news_for(by.person_id, limit=selectors.SHOWN),
    }
    return render(request, "portal/desk/home.html", context)


def _greeting(now: datetime, name: str) -> str:
    if now.hour < 12:
        return _("上午好，%(name)s") % {"name": name}
    return (_("下午好，%(name)s") if now.hour < 18 else _("晚上好，%(name)s")) % {"name": name}


@access(Permission.STAFF)
@require_GET
def starred(request: HttpRequest) -> HttpResponse:
    """收藏: starred documents, the latest star first."""
    words = request.GET.get("q", "")[:100]
    rows = selectors.starred_documents(user_of(request).pk, reader_of(request), words=words)
    return render(request, "portal/desk/starred.html", {"rows": rows, "q": words})


@access(Permission.STAFF)
@require_POST
def star(request: HttpRequest) -> HttpResponse:
    """Star (`on`) or unstar (`off`) a document; answers with the button as it is now."""
    act = request.POST.get("act")
    try:
        chosen = UUID(request.POST.get("object", ""))
    except ValueError:
        chosen = None
    if chosen is None or act not in {"on", "off"}:
        raise BadRequest(_("无法读懂这次提交的内容。"))
    if act == "on":
        services.star_add(user_id=user_of(request).pk, object_id=chosen, reader=reader_of(request))
    else:
        services.star_remove(user_id=user_of(request).pk, object_id=chosen)
    return render(request, "portal/parts/star.html", {"object": chosen, "on": act == "on"})


@access(Permission.STAFF)
@require_GET
def put_by(request: HttpRequest) -> HttpResponse:
    """Stars and saved filters of the list at `page`; a fragment the list asks for after itself."""
    page = _list_path(request.GET)
    context = {
        "put_by": selectors.put_by(user_of(request).pk, page),
        "page": page,
        "query": services.filter_query(request.GET.get("query", "")),
    }
    return render(request, "portal/desk/put_by.html", context)


@access(Permission.STAFF)
@require_POST
def filter_save(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the list at `page`, and show that list again."""
    page = _list_path(request.POST)
    saved = services.filter_save(
        user_id=user_of(request).pk,
        page=page,
        name=request.POST.get("name", ""),
        query=request.POST.get("query", ""),
    )
    toasts.show_next(request, _("已保存筛选“%(name)s”。") % {"name": saved.name})
    return redirect(f"{page}?{saved.query}")


@access(Permission.STAFF)
@require_POST
def filter_remove(request: HttpRequest) -> HttpResponse:
    """Forget a saved filter of the list at `page`, and show that list again."""
    page = _list_path(request.POST)
    try:
        filter_id = UUID(request.POST.get("filter", ""))
    except ValueError:
        raise BadRequest(_("无法读懂这次提交的内容。")) from None
    services.filter_remove(user_id=user_of(request).pk, filter_id=filter_id)
    toasts.show_next(request, _("已删除这组筛选。"))
    return redirect(page)


@access(Permission.STAFF)
@require_http_methods(["GET", "POST"])
def phrases(request: HttpRequest) -> HttpResponse:
    """常用意见: the reader's own, offered under every opinion; a POST adds one (`text`) or drops one (`drop`)."""
    person_id = actor_of(request).person_id
    text, problem = "", ""
    if request.method == "POST":
        dropped = request.POST.get("drop")
        text = "" if dropped else request.POST.get("text", "")
        try:
            if dropped:
                phrasing.phrase_remove(person_id=person_id, text=dropped)
            else:
                phrasing.phrase_add(person_id=person_id, text=text)
        except Invalid as refusal:
            problem = str(refusal.message)
        else:
            return redirect("desk:phrases")
    context = {"phrases": for_desks.phrases_of(person_id), "text": text, "problem": problem}
    return render(request, "portal/desk/phrases.html", context, status=422 if problem else 200)


def _list_path(sent: QueryDict) -> str:
    """The path of one of our pages that was sent."""
    page = str(sent.get("page", ""))
    try:
        resolve(page)
    except Resolver404:
        raise BadRequest(_("无法读懂这次提交的内容。")) from None
    return page

"""What people press: every POST is one act, and a refused one comes back with what was typed."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from saas.accounts.requests import actor_of
from saas.approvals import selectors, services, store, wording
from saas.approvals.engine.commands import ON_TASK, Act
from saas.approvals.engine.state import Assignee, AssigneeKind, Status
from saas.approvals.models import Phrase, Task
from saas.approvals.selectors import TodoQuery
from saas.approvals.services import ActResult, FormInput, Target
from saas.approvals.services.acting import remove_added
from saas.approvals.services.circulating import mark_read as service_mark_read
from saas.approvals.views import counting, matter
from saas.approvals.views.form_fields import PREFIX, given_of
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.errors import BadRequest, Conflict, Invalid, YunshuError

MAX_BULK = 100
MAX_PHRASES = 30


def assignee_of(text: str) -> Assignee:
    """``post:<id>`` or ``unit:<id>`` as an assignee.

    Raises:
        BadRequest: anything else.
    """
    kind, _colon, raw = text.partition(":")
    try:
        return Assignee(AssigneeKind(kind), UUID(raw))
    except ValueError:
        raise BadRequest(_("所选的办理人无法识别，请重新选择。")) from None


def key_of(request: HttpRequest) -> str:
    """The page's idempotency key.

    Raises:
        BadRequest: there is none.
    """
    key = request.POST.get("key", "")
    if not 8 <= len(key) <= 64 or not key.isalnum():
        raise BadRequest(_("页面已过期，请刷新后重试。"))
    return key


@require_POST
@access(Permission.STAFF)
def act(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Act on a to-do."""
    name = request.POST.get("act", "")
    if name not in {one.value for one in ON_TASK}:
        raise BadRequest(_("不能这样办理。"))
    wanted = Act(name)
    to = tuple(assignee_of(one) for one in request.POST.getlist(f"to_{name}"))
    chosen = {
        field.removeprefix("chosen_"): tuple(assignee_of(one) for one in request.POST.getlist(field))
        for field in request.POST
        if field.startswith("chosen_") and wanted is Act.AGREE
    }
    opinion = request.POST.get("opinion", "")
    if wanted is Act.RETURN and request.POST.get("reason", "").strip():
        opinion = request.POST["reason"]
    target = Target(
        node=request.POST.get("node", "") if wanted is Act.RETURN else "",
        straight=wanted is Act.RETURN and bool(request.POST.get("straight")),
        to=to,
        chosen=chosen,
    )
    key = key_of(request)
    given = _given(request, task_id)
    try:
        result = services.act(
            task_id=task_id,
            act=wanted,
            by=actor_of(request),
            opinion=opinion,
            idempotency_key=key,
            target=target,
            form=FormInput(given, request.POST.get("form_seen", "")[:64]) if given else None,
        )
    except (Invalid, Conflict) as refused:
        picked = {field: request.POST.getlist(field) for field in request.POST if field.startswith(("to_", "chosen_"))}
        shown = {
            "problem": refused.message,
            "fields": refused.fields,
            "opinion": opinion,
            "picked": picked,
            "tried": name,
            "node_picked": request.POST.get("node", ""),
            "given": given,
            "conflict": isinstance(refused, Conflict) and refused.code != "approvals.form_changed",
        }
        return matter.task_page(request, task_id, status=refused.status, shown=shown)
    _tell(request, wanted, task_id, result)
    return redirect(_next(request, wanted, task_id))


def _given(request: HttpRequest, task_id: UUID) -> dict[str, object]:
    """What was filled into the flow's form; only asked for when the page had one."""
    if not any(name.startswith(PREFIX) for name in request.POST):
        return {}
    loaded = store.read_by_task(task_id)
    return given_of(loaded.flow.form, request.POST) if loaded else {}


def _tell(request: HttpRequest, done: Act, task_id: UUID, result: ActResult) -> None:
    text = _("已%(act)s。") % {"act": wording.ACTS[done]}
    if result.status is Status.FINISHED:
        text += _("流程已办结。")
    undo = done is Act.AGREE and result.status is Status.RUNNING
    toasts.show_next(
        request,
        text,
        action_label=_("撤回") if undo else "",
        action_url=reverse("approvals:withdraw", args=[task_id]) if undo else "",
    )


def _next(request: HttpRequest, done: Act, task_id: UUID) -> str:
    """The next to-do when the reader asked for it, else the list; a circulation stays where it is."""
    if done is Act.CIRCULATE:
        return reverse("approvals:task", args=[task_id])
    if request.POST.get("next"):
        rows = selectors.todo_list(counting.seats(request), TodoQuery(limit=1)).rows
        if rows:
            return reverse("approvals:task", args=[rows[0].id])
    return reverse("approvals:todo")


@require_POST
@access(Permission.STAFF)
def withdraw(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """撤回; the key is optional, for a notice's undo button carries none."""
    key = request.POST.get("key") or uuid.uuid4().hex
    reason = request.POST.get("reason", "")
    try:
        result = services.withdraw(task_id=task_id, by=actor_of(request), idempotency_key=key[:64], reason=reason)
    except Conflict as refused:
        instance_id = Task.objects.values_list("instance_id", flat=True).get(id=task_id)
        return matter.matter_page(request, instance_id, status=409, problem=str(refused.message))
    toasts.show_next(request, _("已撤回。"))
    return redirect("approvals:matter", instance_id=result.instance_id)


@require_POST
@access(Permission.STAFF)
def remove(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """减签."""
    result = remove_added(task_id=task_id, by=actor_of(request), idempotency_key=key_of(request))
    toasts.show_next(request, _("已减签。"))
    return redirect("approvals:matter", instance_id=result.instance_id)


@require_POST
@access(Permission.STAFF)
def remind(request: HttpRequest, instance_id: UUID) -> HttpResponse:
    """催办."""
    try:
        times = services.remind(instance_id=instance_id, by=actor_of(request), idempotency_key=key_of(request))
    except YunshuError as refused:
        if refused.status not in {409, 429}:
            raise
        return matter.matter_page(request, instance_id, status=refused.status, problem=str(refused.message))
    toasts.show_next(request, ngettext("已催办 %(n)d 次。", "已催办 %(n)d 次。", times) % {"n": times})
    return redirect("approvals:matter", instance_id=instance_id)


@require_POST
@access(Permission.STAFF)
def terminate(request: HttpRequest, instance_id: UUID) -> HttpResponse:
    """终止."""
    try:
        services.terminate(
            instance_id=instance_id,
            by=actor_of(request),
            reason=request.POST.get("reason", ""),
            idempotency_key=key_of(request),
        )
    except (Invalid, Conflict) as refused:
        return matter.matter_page(request, instance_id, status=refused.status, problem=str(refused.message))
    toasts.show_next(request, _("已终止。"))
    return redirect("approvals:matter", instance_id=instance_id)


@require_POST
@access(Permission.STAFF)
def bulk(request: HttpRequest) -> HttpResponse:
    """批量同意, for tasks whose flow allows it; each is its own act with its own result."""
    ids = request.POST.getlist("task")
    if not ids or len(ids) > MAX_BULK:
        message = _("请选择 1 到 %(most)d 件。") % {"most": MAX_BULK}
        raise Invalid(message)
    try:
        wanted = [UUID(one) for one in ids]
    except ValueError:
        raise BadRequest(_("所选的待办无法识别。")) from None
    key, by = key_of(request), actor_of(request)
    rows = {row.id: row for row in Task.objects.filter(id__in=wanted).only("id", "title", "bulk", "node_name")}
    visible = {row.id for row in selectors.todo_list(counting.seats(request), TodoQuery(limit=10_000)).rows}
    results: list[tuple[str, bool, str]] = []
    for task_id in dict.fromkeys(wanted):
        row = rows.get(task_id) if task_id in visible else None
        title = row.title if row else _("（已不在您的待办里）")
        if row is None:
            results.append((title, False, _("可能已经办理或撤销。")))
        elif not row.bulk:
            results.append((title, False, _("这一环节不允许批量办理，请逐件办理。")))
        else:
            try:
                services.act(
                    task_id=task_id,
                    act=Act.AGREE,
                    by=by,
                    opinion=request.POST.get("opinion", ""),
                    idempotency_key=f"{key[:40]}:{task_id.hex}",
                )
                results.append((title, True, _("已同意")))
            except YunshuError as refused:
                results.append((title, False, str(refused.message)))
    done = sum(1 for _title, good, _text in results if good)
    return render(request, "approvals/bulk.html", {"results": results, "done": done, "failed": len(results) - done})


@require_POST
@access(Permission.STAFF)
def mark_read(request: HttpRequest) -> HttpResponse:
    """标为已阅."""
    try:
        ids = [UUID(one) for one in request.POST.getlist("item")]
    except ValueError:
        raise BadRequest(_("所选的待阅无法识别。")) from None
    if not ids:
        raise Invalid(_("请先选择要标为已阅的文件。"))
    count = service_mark_read(item_ids=ids, by=actor_of(request))
    toasts.show_next(request, ngettext("%(n)d 件标为已阅。", "%(n)d 件标为已阅。", count) % {"n": count})
    return redirect("approvals:to_read")


@require_POST
@access(Permission.STAFF)
def phrases(request: HttpRequest) -> HttpResponse:
    """Keep or drop one of the reader's own 常用意见."""
    person_id = actor_of(request).person_id
    text = request.POST.get("text", "").strip()
    if not text or len(text) > 200 or person_id is None:
        raise Invalid(_("常用意见为 1 到 200 字。"))
    if request.POST.get("drop"):
        Phrase.objects.filter(person_id=person_id, text=text).delete()
    elif Phrase.objects.filter(person_id=person_id).count() >= MAX_PHRASES:
        raise Invalid(_("常用意见最多 %(most)d 条。") % {"most": MAX_PHRASES})
    else:
        Phrase.objects.get_or_create(person_id=person_id, text=text)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    back = request.POST.get("back", "")
    return redirect("approvals:task", task_id=UUID(back)) if _is_uuid(back) else redirect("approvals:todo")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

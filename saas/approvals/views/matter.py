"""The handling page: a frame around the subject's own summary, with opinion, acts and the sign-off."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import get_template
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET

from saas.accounts.requests import actor_of
from saas.approvals import policies, registry, selectors, store
from saas.approvals.definition import Approve, Flow, RuleKind
from saas.approvals.engine.commands import Act
from saas.approvals.engine.state import ADDED, Status, Task, TaskKind, TaskState
from saas.approvals.forms.values import Filler, visible
from saas.approvals.models import Task as TaskRow
from saas.approvals.selectors.forms import form_changes, form_seen_by
from saas.approvals.selectors.matter import matter_of, names_of_assignees, possible_acts, return_choices, seat_name
from saas.approvals.services.acting import not_yours, why_not_withdraw
from saas.approvals.services.filling import mark
from saas.approvals.views import counting
from saas.approvals.views.form_fields import errors_of, form_views
from saas.approvals.views.lists import status_label, urgency, workdays_left
from saas.core.access import Permission, access
from saas.core.actors import Actor
from saas.core.errors import NotFound
from saas.organisation.models import Appointment, Unit

PHRASES = ("同意。", "拟同意，请审签。", "已阅。", "请按规定办理。", "请修改后再报。")
_FOUND = 30


@require_GET
@access(Permission.STAFF)
def task(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Handle one to-do; opening it marks it seen."""
    return task_page(request, task_id)


def task_page(
    request: HttpRequest, task_id: UUID, *, status: int = 200, shown: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The handling page, after a refused act with its message and everything that was typed."""
    by = actor_of(request)
    loaded = store.read_by_task(task_id)
    if loaded is None:
        raise NotFound(_("没有这项待办，可能已经撤销。"))
    wanted = loaded.state.task(task_id)
    seated = policies.seat(wanted, flow_key=loaded.header.flow_key, by=by)
    if seated is None and wanted.done_by != by.person_id:
        raise not_yours(loaded, by)
    if (wanted.state is not TaskState.OPEN and status == 200) or wanted.node not in loaded.flow.places:
        return redirect("approvals:matter", instance_id=loaded.header.id)
    if not wanted.seen and wanted.state is TaskState.OPEN:
        TaskRow.objects.filter(id=task_id, state=TaskState.OPEN).update(seen=True)
    acts = possible_acts(loaded, wanted)
    rights = loaded.flow.rights(wanted.node)
    shown_form = visible(loaded.flow.form, [rights])
    picked: Mapping[str, list[str]] = (shown or {}).get("picked", {})
    context = {
        **_common(request, loaded, by),
        "task": wanted,
        "node": loaded.flow.node(wanted.node),
        "seat": seat_name(counting.seats(request), wanted),
        "possible": {one.act.value: one for one in acts if not one.why_not},
        "impossible": [one for one in acts if one.why_not],
        "pickers": [
            picker(one.act.value, one.label, field=f"to_{one.act.value}", hint=str(_MORE[one.act]), picked=picked)
            for one in acts
            if not one.why_not and one.act in _MORE
        ],
        "returns": return_choices(loaded, wanted),
        "choosers": [
            picker(
                "agree", _("选择“%(node)s”的办理人") % {"node": name}, field=f"chosen_{k}", among=among, picked=picked
            )
            for k, name, among in choices_at(loaded.flow, wanted.node)
        ],
        "due_left": workdays_left(wanted.due_at),
        "at_start": wanted.kind is TaskKind.START,
        "opinion_required": getattr(loaded.flow.node(wanted.node), "opinion_required", False),
        "key": uuid.uuid4().hex,
        "opinion": "",
        "form_fields": form_views(
            shown_form,
            loaded.state.values,
            rights=rights if wanted.state is TaskState.OPEN else None,
            by=_filler(seated),
            given=(shown or {}).get("given"),
            errors=errors_of((shown or {}).get("fields", {})),
        ),
        "form_mark": mark(loaded.flow.form, loaded.state.values) if rights.edits(loaded.flow.form) else "",
        "form_lines": form_changes(loaded.header.id, shown_form) if shown_form else (),
        **(shown or {}),
    }
    return render(request, "approvals/task.html", context, status=status)


def _filler(by: Actor | None) -> Filler:
    return Filler(person=by.person_id, post=by.post_id, unit=by.unit_id) if by else Filler()


_MORE = {
    Act.TRANSFER: _lazy("由所选岗位接手办理，您不再办理。"),
    Act.DELEGATE: _lazy("请所选岗位先提意见，办完回到您这里，由您决定。"),
    Act.ADD_BEFORE: _lazy("在您之前先请所选岗位办理，办完回到您这里。"),
    Act.ADD_BESIDE: _lazy("请所选岗位与您同时办理本环节。"),
    Act.ADD_AFTER: _lazy("您同意之后，再请所选岗位办理，然后才到下一环节。"),
    Act.CIRCULATE: _lazy("送所选岗位阅知，不影响办理。"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picker:
    """A choice of posts and units: for which act, under which field, and where its options come from.

    `first_url` ticks what a refused act had ticked; `url` is for searching, when the page's own ticks are sent.
    """

    act: str
    label: str
    field: str
    url: str
    first_url: str
    hint: str = ""


def picker(
    act: str, label: str, *, field: str, picked: Mapping[str, list[str]], hint: str = "", among: str = ""
) -> Picker:
    """The picker of an act, with what a refused act had ticked."""
    asked = [("field", field), *(("among", one) for one in [among] if one)]
    ticked = [(field, value) for value in picked.get(field, ())]
    address = reverse("approvals:assignees")
    return Picker(
        act=act,
        label=label,
        field=field,
        url=f"{address}?{urlencode(asked)}",
        first_url=f"{address}?{urlencode(asked + ticked)}",
        hint=hint,
    )


@require_GET
@access(Permission.STAFF)
def matter(request: HttpRequest, instance_id: UUID) -> HttpResponse:
    """Look at a matter, with what its drafter and signers may still do."""
    return matter_page(request, instance_id)


def matter_page(request: HttpRequest, instance_id: UUID, *, status: int = 200, problem: str = "") -> HttpResponse:
    """The matter's page, after a refused act with its message."""
    by = actor_of(request)
    loaded = store.read(instance_id)
    if loaded is None or not selectors.may_read(instance_id, by):
        raise NotFound(_("没有这件事，或您无权查看。"))
    mine = [t for t in loaded.state.tasks if t.done_by == by.person_id and t.vote and by.person_id]
    last = max(mine, key=lambda t: t.closed_by, default=None)
    why_not = why_not_withdraw(loaded, last, by) if last else ""
    running = loaded.state.status is Status.RUNNING
    is_drafter = by.person_id is not None and by.person_id == loaded.state.drafter.person
    asked = {seat.post_id for seat in counting.seats(request).seats} | {
        seat.unit_id for seat in counting.seats(request).seats
    }
    seen_form = form_seen_by(loaded, by, counting.seats(request))
    context = {
        **_common(request, loaded, by),
        "form_fields": form_views(seen_form, loaded.state.values),
        "form_lines": form_changes(instance_id, seen_form) if seen_form else (),
        "withdrawable": last if last and not why_not else None,
        "why_not_withdraw": why_not if running else "",
        "added": _added(loaded, asked),
        "may_urge": running and bool(loaded.state.live_tasks()),
        "may_terminate": is_drafter and running and loaded.flow.start.key in loaded.state.active,
        "open_task": next((t for t in loaded.state.tasks if _mine(t, asked, by)), None),
        "key": uuid.uuid4().hex,
        "problem": problem,
    }
    return render(request, "approvals/matter.html", context, status=status)


def _mine(task: Task, asked: set[UUID], by: Actor) -> bool:
    return task.state is TaskState.OPEN and task.assignee.id in asked and task.assignee.person in {None, by.person_id}


def _added(loaded: store.Loaded, asked: set[UUID]) -> list[tuple[UUID, str]]:
    """Signers the reader has added and may take back: task and name."""
    found = [
        task
        for task in loaded.state.live_tasks()
        if task.kind in ADDED and task.parent and loaded.state.task(task.parent).assignee.id in asked
    ]
    names = names_of_assignees(task.assignee.id for task in found)
    return [(task.id, names.get(task.assignee.id, "")) for task in found]


def _common(request: HttpRequest, loaded: store.Loaded, by: Actor) -> dict[str, Any]:
    del request
    header = loaded.header
    handler = registry.handler_of(header.subject.kind)
    whole = matter_of(loaded, by)
    summary = handler.summary(header.subject.id, by)
    return {
        "header": header,
        "subject": header.subject,
        "kind": str(handler.label or header.subject.kind),
        "mark": urgency(header.subject.urgency),
        "summary": summary,
        "summary_html": get_template(summary.template).render(dict(summary.context)) if summary else "",
        "matter": whole,
        "status": status_label(loaded.state.status),
        "state": loaded.state,
        "phrases": [*whole.phrases, *(one for one in PHRASES if one not in whole.phrases)],
    }


def choices_at(flow: Flow, node_key: str) -> list[tuple[str, str, str]]:
    """Nodes whose signers are chosen at `node_key`: key, name, ids one may choose from."""
    found = []
    for node in flow.walk():
        if isinstance(node, Approve):
            for rule in node.who:
                chooser = flow.start.key if rule.node == "start" else rule.node
                if rule.kind is RuleKind.CHOSEN and chooser == node_key:
                    found.append((node.key, node.name, ",".join(rule.among)))
    return found


@require_GET
@access(Permission.STAFF)
def assignees(request: HttpRequest) -> HttpResponse:
    """Posts and units to choose from, as a fragment: those already ticked first, then what the words find."""
    words = request.GET.get("who", "").strip()[:40]
    field = request.GET.get("field", "to")[:60]
    among = [one for one in (_uuid(text) for text in request.GET.get("among", "").split(",")) if one]
    ticked = request.GET.getlist(field)
    context = {"field": field, "options": options(words=words, ticked=ticked, among=among), "words": words}
    return render(request, "approvals/_assignees.html", context)


def options(*, words: str, ticked: list[str], among: list[UUID]) -> list[tuple[str, str, bool]]:
    """What a picker offers: value, text, whether it is ticked."""
    rows = Appointment.objects.current().filter(post__active=True).select_related("person", "post__unit")
    if among:
        rows = rows.filter(Q(post_id__in=among) | Q(post__unit_id__in=among))
    chosen_ids = [one for one in (_uuid(text.partition(":")[2]) for text in ticked) if one]
    found: dict[str, tuple[str, str, bool]] = {}
    for row in rows.filter(post_id__in=chosen_ids):
        found[f"post:{row.post_id}"] = (f"post:{row.post_id}", _named(row), True)
    for unit in Unit.objects.filter(id__in=chosen_ids):
        found[f"unit:{unit.id}"] = (f"unit:{unit.id}", unit.name, True)
    if words:
        rows = rows.filter(
            Q(person__name__icontains=words)
            | Q(person__initials__startswith=words.lower())
            | Q(post__name__icontains=words)
            | Q(post__unit__name__icontains=words)
        )
    for row in rows.order_by("post__unit__position", "post__unit__code", "post__position", "person__rank")[:_FOUND]:
        value = f"post:{row.post_id}"
        if value in found and row.person.name not in found[value][1]:
            found[value] = (value, f"{row.person.name}、{found[value][1]}", found[value][2])
        found.setdefault(value, (value, _named(row), False))
    if not among:
        units = Unit.objects.filter(active=True)
        for unit in (units.filter(name__icontains=words) if words else units).order_by("position", "code")[:_FOUND]:
            found.setdefault(f"unit:{unit.id}", (f"unit:{unit.id}", _("%(unit)s（全体）") % {"unit": unit.name}, False))
    return list(found.values())


def _named(row: Appointment) -> str:
    return f"{row.person.name}（{row.post.unit.name} {row.post.name}）"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

"""What is stuck, and the flow administrator's ways out of it, each with a reason."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from saas.accounts.requests import actor_of
from saas.approvals import selectors, services, store, wording
from saas.approvals.definition import Approve, Start
from saas.approvals.engine.state import WORKING, HoldReason, Status
from saas.approvals.selectors.lists import StuckRow
from saas.approvals.selectors.matter import names_of_assignees
from saas.approvals.services.administering import node_fill
from saas.approvals.services.running import MAX_REASON
from saas.approvals.views.lists import workdays_left
from saas.approvals.world import post_assignee
from saas.core import calendar, toasts
from saas.core.access import Permission, access
from saas.core.actors import Actor
from saas.core.errors import Conflict, Invalid, NotFound
from saas.organisation import selectors as organisation
from saas.organisation.forms import post_choices


class Intervention(models.TextChoices):
    """The administrator's acts, in the order they are offered: the mildest first."""

    RETRY = "retry", gettext_lazy("重试：原因已排除，再走一次本环节")
    FILL = "fill", gettext_lazy("指定办理人：为找不到办理人的环节指定岗位")
    REASSIGN = "reassign", gettext_lazy("改派：把一项待办交给另一岗位")
    PASS = "pass", gettext_lazy("准予通过：本环节不再办理，继续往下走")
    JUMP = "jump", gettext_lazy("移至节点：从别的环节继续")
    SUSPEND = "suspend", gettext_lazy("挂起：暂停办理，时限顺延")
    RESUME = "resume", gettext_lazy("恢复：继续办理")


_NEEDS = {
    Intervention.RETRY: ("node",),
    Intervention.FILL: ("node", "to"),
    Intervention.REASSIGN: ("task", "to"),
    Intervention.PASS: ("node",),
    Intervention.JUMP: ("node",),
}


def _id(text: object) -> UUID:
    return UUID(str(text))


class InterventionForm(forms.Form):
    """One act of the administrator; which further fields it needs follows from the act."""

    act = forms.ChoiceField(label=gettext_lazy("处理办法"), widget=forms.RadioSelect)
    node = forms.ChoiceField(
        label=gettext_lazy("环节"), required=False, help_text=gettext_lazy("重试、指定办理人、准予通过、移至节点时选择")
    )
    task = forms.TypedChoiceField(
        label=gettext_lazy("待办"),
        required=False,
        coerce=_id,
        empty_value=None,
        help_text=gettext_lazy("改派时选择"),
    )
    to = forms.TypedChoiceField(
        label=gettext_lazy("交给岗位"),
        required=False,
        coerce=_id,
        empty_value=None,
        help_text=gettext_lazy("改派、指定办理人时选择"),
    )
    reason = forms.CharField(
        label=gettext_lazy("理由"),
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("记入办理过程，参与办理的人都能看到"),
        error_messages={"required": gettext_lazy("请写明干预的理由，它会留在办理过程里。")},
    )

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen act needs."""
        cleaned = super().clean() or {}
        for name in _NEEDS.get(cleaned.get("act", ""), ()):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("这样处理时必须选择。"))
        return cleaned


@require_GET
@access(Permission.DESIGN_FLOWS)
def stuck(request: HttpRequest) -> HttpResponse:
    """Everything that waits for the flow administrator, the longest first, each with its reason."""
    rows = [(row, _why(row)) for row in selectors.stuck_list()]
    overdue = selectors.overdue_list()
    names = names_of_assignees(row.assignee_id for row in overdue)
    late = [(row, names.get(row.assignee_id, _("岗位空缺")), workdays_left(row.due_at)) for row in overdue]
    return render(request, "approvals/admin/stuck.html", {"rows": rows, "late": late, "unknown_year": _unknown_year()})


def _unknown_year() -> int | None:
    """The first year limits set today may reach whose holidays are not in the calendar."""
    day = timezone.localdate()
    return next((year for year in (day.year, (day + timedelta(days=60)).year) if not calendar.is_known(year)), None)


def _why(row: StuckRow) -> list[str]:
    found = [_hold_text(HoldReason(reason), detail) for _node, reason, detail in row.holds]
    names = dict.fromkeys(name for _task, name in row.vacant)
    found += [_("“%(node)s”的岗位无人任职") % {"node": name} for name in names]
    if row.status == Status.SUSPENDED:
        found.append(str(wording.STATUSES[Status.SUSPENDED]))
    return found


def _hold_text(reason: HoldReason, detail: str) -> str:
    text = str(wording.HOLDS[reason])
    return f"{text}：{detail}" if detail else text


@require_http_methods(["GET", "POST"])
@access(Permission.DESIGN_FLOWS)
def intervene(request: HttpRequest, instance_id: UUID) -> HttpResponse:
    """Look at a matter as its keeper, and act on it with a reason."""
    loaded = store.read(instance_id)
    if loaded is None:
        raise NotFound(_("没有这件事。"))
    form = _form(request, loaded)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _act(form, instance_id, by=actor_of(request), key=request.POST.get("key", "")[:64])
            except (Invalid, Conflict) as refused:
                status = refused.status
                fields = refused.fields or {"": refused.message}
                for field, text in fields.items():
                    form.add_error(field if field in form.fields else None, str(text))
            else:
                toasts.show_next(request, _("已处理，理由已记入办理过程。"))
                return redirect("approvals_admin:stuck")
    context = {
        "form": form,
        "header": loaded.header,
        "status": wording.STATUSES[loaded.state.status],
        "holds": _holds(loaded),
        "entries": selectors.matter_of(loaded, actor_of(request)).entries,
        "key": request.POST.get("key") or uuid.uuid4().hex,
    }
    return render(request, "approvals/admin/intervene.html", context, status=status)


def _holds(loaded: store.Loaded) -> list[tuple[str, str]]:
    return [
        (loaded.flow.node(key).name, _hold_text(active.hold.reason, active.hold.detail))
        for key, active in loaded.state.active.items()
        if active.hold is not None and active.hold.reason not in WORKING
    ]


def _form(request: HttpRequest, loaded: store.Loaded) -> InterventionForm:
    form = InterventionForm(request.POST if request.method == "POST" else None)
    live = loaded.state.live_tasks()
    names = names_of_assignees(task.assignee.id for task in live)
    tasks = [
        (str(task.id), f"{loaded.flow.node(task.node).name} · {names.get(task.assignee.id, _('岗位空缺'))}")
        for task in live
    ]
    acts = _possible(loaded)
    _choices(form, "act", [(act.value, act.label) for act in acts])
    _choices(form, "node", [("", _("请选择")), *_nodes(loaded)])
    _choices(form, "task", [("", _("请选择")), *tasks])
    _choices(form, "to", post_choices(organisation.active_posts(), none=_("请选择")))
    if loaded.state.status is not Status.RUNNING:
        for name in ("node", "task", "to"):
            del form.fields[name]
    return form


def _choices(form: forms.Form, name: str, choices: Iterable[Any]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = list(choices)


def _possible(loaded: store.Loaded) -> list[Intervention]:
    """The acts the matter's state allows."""
    state, flow = loaded.state, loaded.flow
    if state.status is Status.SUSPENDED:
        return [Intervention.RESUME]
    if state.status is not Status.RUNNING:
        return []
    found = []
    if any(active.hold and active.hold.reason is not HoldReason.SUB_FLOW for active in state.active.values()):
        found.append(Intervention.RETRY)
    if any(isinstance(flow.node(key), Approve) and not state.at(key) for key in state.active):
        found.append(Intervention.FILL)
    if state.live_tasks():
        found.append(Intervention.REASSIGN)
    if any(not isinstance(flow.node(key), Start) for key in state.active):
        found.append(Intervention.PASS)
    return [*found, Intervention.JUMP, Intervention.SUSPEND]


def _nodes(loaded: store.Loaded) -> list[tuple[str, str]]:
    """Where the matter is, and where it could be moved."""
    found = []
    for node in loaded.flow.walk():
        here = node.key in loaded.state.active
        if here or isinstance(node, Start | Approve):
            found.append((node.key, _("%(node)s（现在）") % {"node": node.name} if here else node.name))
    return found


def _act(form: InterventionForm, instance_id: UUID, *, by: Actor, key: str) -> None:
    chosen = form.cleaned_data
    reason, node = chosen["reason"], chosen.get("node", "")
    match Intervention(chosen["act"]):
        case Intervention.SUSPEND:
            services.suspend(instance_id=instance_id, by=by, reason=reason, idempotency_key=key)
        case Intervention.RESUME:
            services.resume(instance_id=instance_id, by=by, reason=reason, idempotency_key=key)
        case Intervention.RETRY:
            services.node_retry(instance_id=instance_id, node=node, by=by, reason=reason, idempotency_key=key)
        case Intervention.PASS:
            services.node_pass(instance_id=instance_id, node=node, by=by, reason=reason, idempotency_key=key)
        case Intervention.JUMP:
            services.flow_move(instance_id=instance_id, node=node, by=by, reason=reason, idempotency_key=key)
        case Intervention.FILL:
            to = (post_assignee(chosen["to"]),)
            node_fill(instance_id=instance_id, node=node, to=to, by=by, reason=reason, idempotency_key=key)
        case Intervention.REASSIGN:
            to_post = post_assignee(chosen["to"])
            services.task_reassign(task_id=chosen["task"], to=to_post, by=by, reason=reason, idempotency_key=key)

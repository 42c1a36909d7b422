"""委托代办: what somebody has given to others, what they were asked to do, and giving anew."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from saas.accounts.requests import actor_of
from saas.approvals.models import Delegation, DelegationState, Flow
from saas.approvals.services import delegating
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.actors import Actor
from saas.core.errors import BadRequest, Conflict, Invalid
from saas.organisation.models import Appointment, today

_SHOWN = 50


class DelegationForm(forms.Form):
    """Who stands in, when, for which flow."""

    stand_in = forms.TypedChoiceField(label=gettext_lazy("受托人"), coerce=lambda text: UUID(str(text)))
    starts = forms.DateField(label=gettext_lazy("开始日期"), widget=forms.DateInput(attrs={"type": "date"}))
    ends = forms.DateField(
        label=gettext_lazy("结束日期"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("首尾两天都算在内"),
    )
    flow = forms.ChoiceField(label=gettext_lazy("流程"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("事由"),
        max_length=delegating.MAX_REASON,
        required=False,
        help_text=gettext_lazy("如：出差、休假；受托人能看到"),
    )


@require_http_methods(["GET", "POST"])
@access(Permission.STAFF)
def delegations(request: HttpRequest) -> HttpResponse:
    """What was given and what is asked of the reader; a POST gives anew."""
    by = actor_of(request)
    names = dict(Flow.objects.values_list("key", "name"))
    form, status = _form(request, by, names), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            chosen = form.cleaned_data
            try:
                made = delegating.give(
                    stand_in_id=chosen["stand_in"],
                    starts=chosen["starts"],
                    ends=chosen["ends"],
                    by=by,
                    flow_key=chosen["flow"],
                    reason=chosen["reason"],
                )
            except (Invalid, Conflict) as refused:
                status = refused.status
                fields = refused.fields or {"": refused.message}
                for field, text in fields.items():
                    form.add_error(field if field in form.fields else None, str(text))
            else:
                toasts.show_next(request, _("已请 %(who)s 代办，对方接受后生效。") % {"who": made.stand_in_name})
                return redirect("approvals_admin:delegations")
    rows = [_row(one, by, names) for one in _mine(by)]
    context = {
        "form": form,
        "given": [row for row in rows if row["given"]],
        "received": [row for row in rows if not row["given"]],
    }
    return render(request, "approvals/admin/delegations.html", context, status=status)


def _mine(by: Actor) -> list[Delegation]:
    rows = Delegation.objects.filter(Q(giver_id=by.person_id) | Q(stand_in_id=by.person_id))
    return list(rows.order_by("-ends", "-created_at")[:_SHOWN])


def _row(one: Delegation, by: Actor, names: dict[str, str]) -> dict[str, Any]:
    over = one.ends < today()
    live = not over and one.state in {DelegationState.PROPOSED, DelegationState.ACCEPTED}
    kinds = {DelegationState.ACCEPTED: "good", DelegationState.PROPOSED: "info"}
    ended = over and one.state in {DelegationState.PROPOSED, DelegationState.ACCEPTED}
    return {
        "one": one,
        "given": one.giver_id == by.person_id,
        "flow": names.get(one.flow_key, one.flow_key) if one.flow_key else _("全部流程"),
        "live": live,
        "proposed": live and one.state == DelegationState.PROPOSED,
        "state": _("已到期") if ended else one.get_state_display(),
        "kind": kinds.get(DelegationState(one.state), "plain") if live else "plain",
    }


def _form(request: HttpRequest, by: Actor, names: dict[str, str]) -> DelegationForm:
    initial = {"starts": today().isoformat(), "ends": today().isoformat()}
    form = DelegationForm(request.POST if request.method == "POST" else None, initial=initial)
    people: dict[str, list[tuple[str, str]]] = {}
    rows = (
        Appointment.objects.current()
        .filter(post__active=True, person__active=True)
        .exclude(person_id=by.person_id or UUID(int=0))
        .order_by("post__unit__position", "post__unit__code", "post__position", "person__rank", "person__name")
    )
    seen = set()
    for person, name, post, unit in rows.values_list("person_id", "person__name", "post__name", "post__unit__name"):
        if person not in seen:
            seen.add(person)
            people.setdefault(unit, []).append((str(person), f"{name}（{post}）"))
    _choices(form, "stand_in", [("", _("请选择")), *people.items()])
    _choices(form, "flow", [("", _("全部流程")), *names.items()])
    return form


def _choices(form: forms.Form, name: str, choices: list[Any]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


@require_POST
@access(Permission.STAFF)
def answer(request: HttpRequest, delegation_id: UUID) -> HttpResponse:
    """Accept or decline what was asked, or take back what was given."""
    by = actor_of(request)
    match request.POST.get("answer"):
        case "accept":
            made = delegating.accept(delegation_id=delegation_id, by=by)
            text = _("已接受，%(who)s 的待办会出现在您的待办里。") % {"who": made.giver_name}
        case "decline":
            delegating.decline(delegation_id=delegation_id, by=by)
            text = _("已谢绝。")
        case "revoke":
            delegating.revoke(delegation_id=delegation_id, by=by)
            text = _("已收回。")
        case _:
            raise BadRequest(_("不能这样办理。"))
    toasts.show_next(request, text)
    return redirect("approvals_admin:delegations")

"""离岗交接: what only a leaver could do, and giving it to others in one act."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from saas.accounts.requests import actor_of
from saas.approvals import handover
from saas.approvals.engine.state import Assignee
from saas.approvals.models import Task
from saas.approvals.services.handing_over import hand_over
from saas.approvals.services.running import MAX_REASON
from saas.approvals.world import post_assignee
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.errors import BadRequest, Conflict, Invalid, NotFound
from saas.organisation import selectors as organisation
from saas.organisation.forms import post_choices
from saas.organisation.models import Person

MOST = 500


@require_http_methods(["GET", "POST"])
@access(Permission.DESIGN_FLOWS)
def handover_page(request: HttpRequest) -> HttpResponse:
    """Choose a leaver, see what only they could do, and say who does it instead."""
    person = _person(request)
    problem, status = "", 200
    if request.method == "POST" and person is not None:
        try:
            count = hand_over(
                person_id=person.id,
                to=_chosen(request),
                by=actor_of(request),
                reason=request.POST.get("reason", "")[: MAX_REASON + 1],
            )
        except (Invalid, Conflict) as refused:
            problem, status = str(refused.message), refused.status
        else:
            toasts.show_next(request, ngettext("已交接 %(n)d 件。", "已交接 %(n)d 件。", count) % {"n": count})
            return redirect(f"{request.path}?person={person.id}")
    tasks = list(Task.objects.filter(handover.only_by(person.id)).order_by("due_at", "id")[:MOST]) if person else []
    context = {
        "people": Person.objects.filter(active=True).order_by("name"),
        "person": person,
        "rows": [(task, request.POST.get(f"to_{task.id}", "")) for task in tasks],
        "posts": post_choices(organisation.active_posts(), none=_("请选择")) if tasks else [],
        "all": request.POST.get("all", ""),
        "reason": request.POST.get("reason", ""),
        "problem": problem,
    }
    return render(request, "approvals/admin/handover.html", context, status=status)


def _person(request: HttpRequest) -> Person | None:
    raw = request.POST.get("person") or request.GET.get("person", "")
    if not raw:
        return None
    found = Person.objects.filter(id=_id(raw)).first()
    if found is None:
        raise NotFound(_("没有这个人。"))
    return found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadRequest(_("页面已过期，请刷新后重试。")) from None


def _chosen(request: HttpRequest) -> dict[UUID, Assignee]:
    """For each task the post chosen for it, else the one for all."""
    for_all = request.POST.get("all", "")
    chosen = {}
    for name, value in request.POST.items():
        if name.startswith("to_") and isinstance(value, str) and (value or for_all):
            chosen[_id(name.removeprefix("to_"))] = post_assignee(_id(value or for_all))
    return chosen

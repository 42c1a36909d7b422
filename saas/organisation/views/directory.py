"""The directory (通讯录), and the choice of the post one acts in."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from saas.core.errors import BadRequest, Forbidden, NotFound
from saas.organisation import acting, selectors
from saas.organisation.models import Person

PAGE_SIZE = 60
LONGEST_QUERY = 60


@require_GET
def directory(request: HttpRequest) -> HttpResponse:
    """People in rank order, by unit or by part of a name, initials, number or post."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_QUERY]
    nodes = selectors.flat_units()
    chosen = _chosen(request.GET.get("unit", ""), nodes)
    shown = list(chosen.walk()) if chosen else nodes
    start = whole_number(request.GET.get("after", ""))
    rows = selectors.directory(
        unit_ids=[node.unit.id for node in shown], words=words, offset=start, limit=PAGE_SIZE + 1
    )
    return render(
        request,
        "organisation/directory.html",
        {
            "nodes": nodes,
            "chosen": chosen,
            "q": words,
            "rows": rows[:PAGE_SIZE],
            "after": start + PAGE_SIZE if len(rows) > PAGE_SIZE else "",
            "before": str(start - PAGE_SIZE) if start >= PAGE_SIZE else "",
        },
    )


@require_GET
def card(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """One person: posts held now, telephone, e-mail."""
    person = Person.objects.filter(id=person_id, active=True).first()
    if person is None:
        raise NotFound(_("没有这个人员。"))
    appointments = selectors.current_appointments(person)
    return render(request, "organisation/card.html", {"person": person, "appointments": appointments})


@require_POST
def choose_post(request: HttpRequest) -> HttpResponse:
    """Act in another of one's posts from now on; goes back to where it was chosen."""
    try:
        appointment_id = UUID(request.POST.get("appointment", ""))
    except ValueError:
        raise BadRequest(_("没有这条任职。")) from None
    user_id = request.user.pk
    if user_id is None or not acting.may_act_in(user_id, appointment_id):
        raise Forbidden(_("您现在没有这个岗位。"))
    acting.choose(request, appointment_id)
    back = request.META.get("HTTP_REFERER", "")
    here = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if here else "/")


def whole_number(text: str) -> int:
    """An offset from the address; what is none counts as 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _chosen(text: str, nodes: list[selectors.UnitNode]) -> selectors.UnitNode | None:
    if not text:
        return None
    for node in nodes:
        if str(node.unit.id) == text:
            return node
    raise NotFound(_("没有这个部门。"))

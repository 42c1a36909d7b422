"""发起申请: filling in the form of a flow starts it; the form itself is the matter."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from saas.accounts.requests import actor_of
from saas.approvals import services, store, wording
from saas.approvals.definition import Flow
from saas.approvals.forms.values import Filler
from saas.approvals.models import FlowVersion, VersionState
from saas.approvals.registry import APPLICATION, Subject
from saas.approvals.selectors.forms import applications
from saas.approvals.views.acting import assignee_of, key_of
from saas.approvals.views.form_fields import errors_of, form_views, given_of
from saas.approvals.views.matter import choices_at, picker
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.errors import Conflict, Invalid, NotFound

MAX_TITLE = 200
_URGENT = (0, 1, 2, 3)


@require_GET
@access(Permission.STAFF)
def kinds(request: HttpRequest) -> HttpResponse:
    """What can be applied for."""
    return render(request, "approvals/applications.html", {"rows": applications()})


@require_http_methods(["GET", "POST"])
@access(Permission.STAFF)
def apply(request: HttpRequest, flow_key: str) -> HttpResponse:
    """Fill in a form and send it on its way."""
    version = (
        FlowVersion.objects.filter(flow__key=flow_key, state=VersionState.PUBLISHED).select_related("flow").first()
    )
    flow = store.definition(version.id) if version else None
    if version is None or flow is None or not flow.form.applies:
        raise NotFound(_("没有这种申请，可能已经停用。"))
    if request.method == "GET":
        return _page(request, version, flow)
    given = given_of(flow.form, request.POST)
    title = request.POST.get("title", "").replace("\x00", "").strip()
    chosen = {
        name.removeprefix("chosen_"): tuple(assignee_of(one) for one in request.POST.getlist(name))
        for name in request.POST
        if name.startswith("chosen_")
    }
    key = key_of(request)
    try:
        if not 0 < len(title) <= MAX_TITLE:
            message = _("请填写标题，最多 %(limit)d 字。") % {"limit": MAX_TITLE}
            raise Invalid(message, fields={"title": message})
        subject = Subject(kind=APPLICATION, id=uuid.uuid4(), title=title, urgency=_urgency(request))
        instance_id = services.start_flow(
            flow_key=flow_key,
            subject=subject,
            by=actor_of(request),
            form=given,
            chosen=chosen,
            opinion=request.POST.get("opinion", ""),
            idempotency_key=key,
        )
    except (Invalid, Conflict) as refused:
        shown = {
            "problem": refused.message,
            "fields": refused.fields,
            "title": title,
            "urgency": _urgency(request),
            "opinion": request.POST.get("opinion", ""),
            "picked": {name: request.POST.getlist(name) for name in request.POST if name.startswith("chosen_")},
        }
        return _page(request, version, flow, given=given, shown=shown, status=refused.status)
    toasts.show_next(request, _("已提交。"))
    return redirect("approvals:matter", instance_id=instance_id)


def _urgency(request: HttpRequest) -> int:
    raw = request.POST.get("urgency", "")
    return int(raw) if raw in {str(one) for one in _URGENT} else 0


def _page(
    request: HttpRequest,
    version: FlowVersion,
    flow: Flow,
    *,
    given: Mapping[str, Any] | None = None,
    shown: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    by = actor_of(request)
    shown = shown or {}
    picked: Mapping[str, list[str]] = shown.get("picked", {})
    start = flow.start.key
    context = {
        "flow": version.flow,
        "title": _("%(flow)s（%(name)s）") % {"flow": version.flow.name, "name": by.user_name},
        "urgency": 0,
        "levels": [(one, wording.URGENCY[one] or _("一般")) for one in _URGENT],
        "form_fields": form_views(
            flow.form,
            {},
            rights=flow.rights(start),
            by=Filler(person=by.person_id, post=by.post_id, unit=by.unit_id),
            given=given,
            errors=errors_of(shown.get("fields", {})),
        ),
        "choosers": [
            picker(
                "start", _("选择“%(node)s”的办理人") % {"node": name}, field=f"chosen_{key}", among=among, picked=picked
            )
            for key, name, among in choices_at(flow, start)
        ],
        "key": uuid.uuid4().hex,
        **shown,
    }
    return render(request, "approvals/apply.html", context, status=status)

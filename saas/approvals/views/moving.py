"""改用另一版: what runs on an older version, what moving it would mean, and doing it with a reason."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from saas.accounts.requests import actor_of
from saas.approvals import selectors, store, wording
from saas.approvals.engine.state import Status
from saas.approvals.models import Flow, FlowVersion, Instance, VersionState
from saas.approvals.services.moving import instance_move, move_try
from saas.approvals.services.running import MAX_REASON
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.errors import BadRequest, Conflict, Invalid, NotFound

MOST = 200


@require_GET
@access(Permission.DESIGN_FLOWS)
def running(request: HttpRequest, flow_id: UUID) -> HttpResponse:
    """What runs on another version of a flow than the published one."""
    flow = Flow.objects.filter(id=flow_id).first()
    if flow is None:
        raise NotFound(_("没有这个流程。"))
    states = [Status.RUNNING.value, Status.SUSPENDED.value]
    rows = Instance.objects.filter(version__flow=flow, status__in=states).exclude(version__state=VersionState.PUBLISHED)
    context = {"flow": flow, "rows": list(rows.select_related("version").order_by("started_at")[:MOST])}
    return render(request, "approvals/admin/older.html", context)


@require_http_methods(["GET", "POST"])
@access(Permission.DESIGN_FLOWS)
def version(request: HttpRequest, instance_id: UUID) -> HttpResponse:
    """Try moving a matter to another version; a POST moves it."""
    by = actor_of(request)
    loaded = store.read(instance_id)
    if loaded is None:
        raise NotFound(_("没有这件事。"))
    versions = list(
        FlowVersion.objects.filter(flow__key=loaded.header.flow_key)
        .exclude(state=VersionState.DRAFT)
        .exclude(id=loaded.header.version_id)
        .order_by("-number")
    )
    wanted = _chosen(request, versions)
    problem, reason, status = "", request.POST.get("reason", "")[: MAX_REASON + 1], 200
    if request.method == "POST" and wanted is not None:
        try:
            moved = instance_move(instance_id=instance_id, version_id=wanted.id, by=by, reason=reason)
        except (Invalid, Conflict) as refused:
            problem, status = str(refused.message), refused.status
        else:
            toasts.show_next(request, _("已改按第 %(number)d 版办理。") % {"number": moved.then})
            return redirect("approvals_admin:intervene", instance_id=instance_id)
    context = {
        "header": loaded.header,
        "status": wording.STATUSES[loaded.state.status],
        "versions": versions,
        "wanted": wanted,
        "dry": move_try(instance_id=instance_id, version_id=wanted.id, by=by) if wanted else None,
        "problem": problem,
        "reason": reason,
        "entries": selectors.matter_of(loaded, by).entries,
    }
    return render(request, "approvals/admin/version.html", context, status=status)


def _chosen(request: HttpRequest, versions: list[FlowVersion]) -> FlowVersion | None:
    """The version asked for, else the published one, else the newest."""
    asked = request.POST.get("version") or request.GET.get("version", "")
    if asked:
        found = next((one for one in versions if str(one.id) == asked), None)
        if found is None:
            raise BadRequest(_("没有这个版本。"))
        return found
    published = next((one for one in versions if one.state == VersionState.PUBLISHED), None)
    return published or next(iter(versions), None)

"""The management zone's pages: operations sees bureaus, health and jobs; the security officer sees the boundaries."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from saas.accounts.requests import user_of
from saas.core import keys, toasts
from saas.core.access import Permission, access
from saas.core.errors import Conflict, Invalid, NotFound, YunshuError
from saas.env import Zone
from saas.portal.console import selectors
from saas.portal.console.forms import BureauForm
from tenants.directory import services
from tenants.directory.models import BureauState, DirectoryBureau
from tenants.directory.services import host_of
from tenants.protocol import Kind

PAGE_ROWS = 50
_operations = access(Permission.OPERATE_PLATFORM, zones=[Zone.MANAGEMENT])
_security = access(Permission.OVERSEE_SECURITY, zones=[Zone.MANAGEMENT])


@_operations
@require_GET
def bureaus(request: HttpRequest) -> HttpResponse:
    """All bureaus with state, host, accounts and upgrade."""
    everything = selectors.bureau_rows(text=request.GET.get("q", ""))
    state = request.GET.get("state", "")
    tabs = [("", _("全部"), len(everything))] + [
        (choice.value, str(choice.label), sum(row.bureau.state == choice for row in everything))
        for choice in BureauState
    ]
    rows = [row for row in everything if not state or row.bureau.state == state]
    page = Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/console/bureaus.html",
        {"page": page, "rows": page.object_list, "tabs": tabs, "state": state, "whole": len(everything)},
    )


@_operations
@require_http_methods(["GET", "POST"])
def bureau_new(request: HttpRequest) -> HttpResponse:
    """Order a bureau; the answer shows the three first sign-ins, which are kept nowhere and so not shown again."""
    form = BureauForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            asked = services.bureau_create(**form.cleaned_data, by=request.actor)  # type: ignore[attr-defined]
        except (Invalid, Conflict) as refusal:
            for name, text in refusal.fields.items():
                form.add_error(name if name in form.fields else None, str(text))
            if not refusal.fields:
                form.add_error(None, str(refusal.message))
            return render(request, "portal/console/bureau_new.html", {"form": form}, status=refusal.status)
        except YunshuError as refusal:
            form.add_error(None, str(refusal.message))
            return render(request, "portal/console/bureau_new.html", {"form": form}, status=refusal.status)
        return render(
            request,
            "portal/console/bureau_ordered.html",
            {
                "bureau": asked.bureau,
                "sign_ins": asked.sign_ins,
                "host": host_of(asked.bureau.code, Zone.INTRANET),
                **_progress(asked.bureau),
            },
            status=201,
        )
    status = 422 if form.is_bound else 200
    return render(request, "portal/console/bureau_new.html", {"form": form}, status=status)


def _progress(bureau: DirectoryBureau) -> dict[str, object]:
    rows = [row for row in selectors.command_rows(bureau=bureau) if row.command.kind == Kind.CREATE]
    return {"bureau": bureau, "commands": rows, "finished": bool(rows) and all(row.final for row in rows)}


@_operations
@require_GET
def bureau_progress(request: HttpRequest, code: str) -> HttpResponse:
    """The fragment that is asked for each second until every cell has answered."""
    bureau = get_object_or_404(DirectoryBureau, code=code)
    return render(request, "portal/console/parts/progress.html", _progress(bureau))


@_operations
@require_GET
def bureau(request: HttpRequest, code: str) -> HttpResponse:
    """One bureau: what it is, what its cells last said, what was ordered; suspend and resume."""
    return _bureau_page(request, get_object_or_404(DirectoryBureau, code=code), status=200, problem="")


def _bureau_page(request: HttpRequest, found: DirectoryBureau, *, status: int, problem: str) -> HttpResponse:
    return render(
        request,
        "portal/console/bureau.html",
        {
            "row": selectors.bureau_row(found),
            "bureau": found,
            "commands": selectors.command_rows(bureau=found),
            "extranet_host": host_of(found.code, Zone.EXTRANET),
            "problem": problem,
            "finished": False,
        },
        status=status,
    )


@_operations
@require_POST
def bureau_suspend(request: HttpRequest, code: str) -> HttpResponse:
    """Stop serving a bureau; the code must have been typed."""
    found = get_object_or_404(DirectoryBureau, code=code)
    if request.POST.get("typed", "").strip() != found.code:
        return _bureau_page(request, found, status=422, problem=_("输入的单位代码不一致，没有停用。"))
    services.bureau_suspend(code=code, by=request.actor)  # type: ignore[attr-defined]
    toasts.show_next(request, _("已下达停用，单元执行后生效。"))
    return redirect("console:bureau", code=code)


@_operations
@require_POST
def bureau_resume(request: HttpRequest, code: str) -> HttpResponse:
    """Serve a suspended bureau again."""
    services.bureau_resume(code=code, by=request.actor)  # type: ignore[attr-defined]
    toasts.show_next(request, _("已下达恢复，单元执行后生效。"))
    return redirect("console:bureau", code=code)


@_operations
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """How every cell is."""
    template = "portal/console/parts/cells.html" if request.headers.get("HX-Request") else "portal/console/health.html"
    return render(request, template, {"cells": selectors.cell_rows()})


@_operations
@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """The cells' queues and their failed jobs."""
    cells = selectors.cell_rows()
    return render(
        request,
        "portal/console/jobs.html",
        {
            "cells": cells,
            "failed": selectors.failed_job_rows(cells),
            "waiting": sum(cell.waiting for cell in cells),
            "doing": sum(cell.doing for cell in cells),
            "failures": sum(cell.failed for cell in cells),
            "commands": selectors.command_rows(limit=20),
        },
    )


@_operations
@require_POST
def job_retry(request: HttpRequest) -> HttpResponse:
    """Order a cell to do a failed job again."""
    number = request.POST.get("job", "")
    cell = request.POST.get("cell", "")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise Invalid(_("没有这个失败的任务，可能已被重新执行。"))
    try:
        UUID(cell)
    except ValueError:
        raise NotFound(_("没有这个单元。")) from None
    services.job_retry(cell_id=cell, job_id=int(number), by=request.actor)  # type: ignore[attr-defined]
    toasts.show_next(request, _("已下达重做，单元执行后生效。"))
    return redirect("console:jobs")


@_security
@require_GET
def security(request: HttpRequest) -> HttpResponse:
    """The boundaries between zones and bureaus, each with what is measured at it now."""
    vault, kind = selectors.VAULT_STATES[str(keys.health().value)]
    return render(
        request,
        "portal/console/security.html",
        {
            "cells": selectors.cell_rows(),
            "rights": selectors.database_rights(),
            "refused": selectors.refused_commands(),
            "trail": selectors.trail_state(),
            "vault": vault,
            "vault_kind": kind,
            "reads_audit": user_of(request).has_permission(Permission.READ_AUDIT),
        },
    )

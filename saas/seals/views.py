"""Pages of seals: the list with its monitor, making and stopping, and the check of a sealed PDF."""

from __future__ import annotations

import io
from uuid import UUID

from asn1crypto import x509
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from saas.accounts.requests import actor_of
from saas.core import keys, pdfium
from saas.core.access import Permission, access
from saas.core.errors import Conflict, Invalid, NotFound, Unavailable
from saas.core.keys import SealKeyKind
from saas.core.uploads import takes_upload
from saas.organisation.models import Post
from saas.seals import pades, picture, revocation, selectors, services, verification
from saas.seals.forms import MOST_CHECK_BYTES, CheckForm, RevokeForm, SealForm, StopForm
from saas.seals.models import Seal


@access(Permission.GRANT_ROLES)
@require_safe
def seal_list(request: HttpRequest) -> HttpResponse:
    """All seals, who keeps them and their latest uses."""
    seals = list(selectors.seals_all())
    posts = Post.objects.select_related("unit").in_bulk({h.post_id for seal in seals for h in seal.holders.all()})
    rows = [(seal, [posts[h.post_id] for h in seal.holders.all() if h.post_id in posts]) for seal in seals]
    context = {"rows": rows, "impressions": selectors.impressions_latest(limit=50)}
    return render(request, "seals/list.html", context)


@access(Permission.GRANT_ROLES)
@require_http_methods(["GET", "POST"])
def seal_new(request: HttpRequest) -> HttpResponse:
    """Register a seal."""
    form = SealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            services.seal_create(
                name=data["name"].strip(),
                caption=data["caption"].strip(),
                diameter_mm=float(data["diameter_mm"]),
                key_kind=SealKeyKind(data["key_kind"]),
                holder_posts=[post.id for post in data["holders"]],
                by=actor_of(request),
            )
        except Invalid as error:
            form.add_error(None, str(error))
        else:
            return redirect("seals:list")
    return render(request, "seals/form.html", {"form": form}, status=422 if form.errors else 200)


@access(Permission.GRANT_ROLES)
@require_http_methods(["GET", "POST"])
def seal_stop(request: HttpRequest, seal_id: UUID) -> HttpResponse:
    """Stop a seal after its name was typed."""
    seal = get_object_or_404(Seal, id=seal_id)
    form = StopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["name"].strip() != seal.name:
            form.add_error("name", _("与印章名称不一致。"))
        else:
            services.seal_stop(seal_id=seal.id, reason=form.cleaned_data["reason"], by=actor_of(request))
            return redirect("seals:list")
    return render(request, "seals/stop.html", {"form": form, "seal": seal}, status=422 if form.errors else 200)


@access(Permission.GRANT_ROLES)
@require_http_methods(["GET", "POST"])
def seal_revoke(request: HttpRequest, seal_id: UUID) -> HttpResponse:
    """Revoke a seal's certificate after its name was typed."""
    seal = get_object_or_404(Seal, id=seal_id)
    form = RevokeForm(request.POST or None)
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["name"].strip() != seal.name:
            form.add_error("name", _("与印章名称不一致。"))
        else:
            try:
                revocation.seal_revoke(seal_id=seal.id, reason=form.cleaned_data["reason"], by=actor_of(request))
            except Conflict as error:
                form.add_error(None, str(error))
                status = error.status
            else:
                return redirect("seals:list")
    return render(request, "seals/revoke.html", {"form": form, "seal": seal}, status=status)


@access(Permission.SIGNED_IN)
@require_safe
def seal_picture(request: HttpRequest, seal_id: UUID) -> HttpResponse:
    """The seal as a small picture with 样章 across it: never a clean copy to paste elsewhere."""
    seal = get_object_or_404(Seal, id=seal_id)
    drawn = picture.draw(name=seal.name, caption=seal.caption, diameter_mm=float(seal.diameter_mm), specimen="样章")
    with pdfium.opened(drawn) as document:
        image = pdfium.drawn(document[0], scale=2)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return HttpResponse(buffer.getvalue(), content_type="image/png")


@access(Permission.STAFF)
@takes_upload(MOST_CHECK_BYTES)
@require_http_methods(["GET", "POST"])
def seal_check(request: HttpRequest) -> HttpResponse:
    """Check the seals of an uploaded PDF, step by step."""
    form = CheckForm(request.POST or None, request.FILES or None)
    reports: list[verification.SealReport] = []
    if request.method == "POST" and form.is_valid():
        try:
            reports = verification.verify(form.cleaned_data["file"].read(), roots=_roots(), listed=_listed())
        except Invalid as error:
            form.add_error("file", str(error))
    status = 422 if form.errors else 200
    return render(request, "seals/check.html", {"form": form, "reports": reports}, status=status)


def _listed() -> keys.RevocationList | None:
    try:
        return keys.revocation_list()
    except (NotFound, Unavailable):
        # The report says that this step was not run.
        return None


def _roots() -> list[x509.Certificate]:
    return pades.certificates(keys.seal_authority_pem())

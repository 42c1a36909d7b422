"""Pages of the exchange: sending, and the desk where documents from other bureaus are signed for or returned."""

from __future__ import annotations

from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from saas.accounts.requests import actor_of
from saas.core.access import Permission, access
from saas.core.errors import Conflict, Invalid, NotFound
from saas.core.paging import numbered_page
from saas.core.storage import open_object
from saas.documents.access import reader_of, visible_document
from saas.documents.kinds import Direction
from saas.exchange import selectors, services
from saas.exchange.models import Delivery, DispatchState
from saas.exchange.spool import packages


@access(Permission.REGISTER_INCOMING)
@require_safe
def delivery_list(request: HttpRequest) -> HttpResponse:
    """签收: what waits, or what was answered."""
    waiting = request.GET.get("show") != "answered"
    page = numbered_page(request, selectors.deliveries(waiting=waiting))
    return render(request, "exchange/deliveries.html", {"page": page, "waiting": waiting})


@access(Permission.REGISTER_INCOMING)
@require_safe
def delivery_page(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """One document that arrived, with 签收 and 退文."""
    delivery = get_object_or_404(Delivery, id=delivery_id)
    return render(request, "exchange/delivery.html", {"delivery": delivery})


@access(Permission.REGISTER_INCOMING)
@require_safe
def delivery_pdf(request: HttpRequest, delivery_id: UUID) -> HttpResponseBase:
    """The sealed PDF as it arrived."""
    delivery = get_object_or_404(Delivery, id=delivery_id)
    return FileResponse(
        open_object(delivery.object_name), content_type="application/pdf", filename=f"{delivery.number}.pdf"
    )


@access(Permission.REGISTER_INCOMING)
@require_safe
def delivery_file(request: HttpRequest, delivery_id: UUID, place: int) -> HttpResponseBase:
    """An attachment as it arrived; `place` counts from 1."""
    attachments = get_object_or_404(Delivery, id=delivery_id).attachments
    if not 1 <= place <= len(attachments):
        raise NotFound(_("没有这个附件。"))
    file = attachments[place - 1]
    return FileResponse(
        open_object(file.object_name), content_type=file.content_type, filename=file.name, as_attachment=True
    )


@access(Permission.REGISTER_INCOMING)
@require_POST
def delivery_sign(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """签收."""
    document_id = services.delivery_sign_for(delivery_id=delivery_id, by=actor_of(request))
    return redirect("documents:detail", document_id)


@access(Permission.REGISTER_INCOMING)
@require_POST
def delivery_return(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """退文."""
    delivery = get_object_or_404(Delivery, id=delivery_id)
    reason = request.POST.get("reason", "")
    try:
        services.delivery_return(delivery_id=delivery_id, reason=reason, by=actor_of(request))
    except Invalid as error:
        context = {"delivery": delivery, "error": error, "reason": reason}
        return render(request, "exchange/delivery.html", context, status=error.status)
    return redirect("exchange:deliveries")


@access(Permission.STAFF)
@require_safe
def dispatches(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """送达情况: who has signed for the document or returned it; a fragment of its page, for whoever may read it."""
    document = visible_document(document_id, reader_of(request))
    rows = list(selectors.dispatches_of(document.id))
    signed = sum(row.state == DispatchState.SIGNED_FOR for row in rows)
    return render(request, "exchange/_dispatches.html", {"rows": rows, "signed": signed})


@access(Permission.REGISTER_INCOMING)
@require_http_methods(["GET", "POST"])
def document_send(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Choose the bureaus a sealed document goes to."""
    document = visible_document(document_id, reader_of(request))
    if document.direction != Direction.OUTGOING:
        raise NotFound(_("没有这份发文。"))
    sent = {item.to_code: item for item in selectors.dispatches_of(document.id)}
    chosen = set(request.POST.getlist("to")) if request.method == "POST" else set(document.written.recipient_codes)
    error: Invalid | Conflict | None = None
    if request.method == "POST":
        try:
            services.document_send(document_id=document.id, to_codes=sorted(chosen), by=actor_of(request))
        except (Invalid, Conflict) as refused:
            error = refused
        else:
            return redirect("documents:detail", document.id)
    rows = [(item, sent.get(item.ref.code), item.ref.code in chosen) for item in packages.recipients()]
    context = {"document": document, "rows": rows, "error": error}
    return render(request, "exchange/send.html", context, status=error.status if error else 200)

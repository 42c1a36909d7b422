"""Attachments in pieces, as JSON: begin, piece, finish, give up."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from saas.core.access import Permission, access
from saas.core.errors import BadRequest
from saas.core.uploads import takes_upload
from saas.documents.access import acting
from saas.documents.services import uploads


@access(Permission.STAFF)
@require_POST
def begin(request: HttpRequest, document_id: UUID) -> JsonResponse:
    """Begin, or find what broke off: {id, offset, piece}."""
    upload = uploads.upload_begin(
        document_id=document_id,
        name=request.POST.get("name", ""),
        size=_number(request.POST.get("size", "")),
        fingerprint=request.POST.get("fingerprint", ""),
        by=acting(request),
    )
    return JsonResponse({"id": str(upload.id), "offset": upload.received, "piece": uploads.PIECE_BYTES})


@access(Permission.STAFF)
@takes_upload(uploads.PIECE_BYTES)
@require_http_methods(["PUT", "DELETE"])
def piece(request: HttpRequest, document_id: UUID, upload_id: UUID) -> JsonResponse:
    """PUT the next piece (header Upload-Offset): {offset}, 409 {offset} when it begins elsewhere. DELETE gives up."""
    del document_id  # the upload knows its document
    if request.method == "DELETE":
        uploads.upload_cancel(upload_id=upload_id, by=acting(request))
        return JsonResponse({})
    offset = _number(request.headers.get("Upload-Offset", ""))
    try:
        upload = uploads.upload_piece(upload_id=upload_id, offset=offset, data=request.body, by=acting(request))
    except uploads.WrongOffset as wrong:
        return JsonResponse({"message": str(wrong), "offset": wrong.offset}, status=wrong.status)
    return JsonResponse({"offset": upload.received})


@access(Permission.STAFF)
@require_POST
def finish(request: HttpRequest, document_id: UUID, upload_id: UUID) -> JsonResponse:
    """Keep the file: {id, name}; 409 {offset} while something is missing."""
    del document_id
    try:
        made = uploads.upload_finish(upload_id=upload_id, sha256=request.POST.get("sha256", ""), by=acting(request))
    except uploads.WrongOffset as wrong:
        return JsonResponse({"message": str(wrong), "offset": wrong.offset}, status=wrong.status)
    return JsonResponse({"id": str(made.id), "name": made.name})


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 15:
        raise BadRequest(_("无法读懂这次提交的内容，请刷新页面后重试。"))
    return int(text)

"""历次稿: who changed what and when, marked word by word, with a clean copy beside it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from saas.core.access import Permission, access
from saas.core.errors import NotFound
from saas.documents.access import reader_of, visible_document
from saas.documents.differences import differences
from saas.documents.elements import Elements
from saas.documents.models import DocumentVersion

VERSIONS_SHOWN = 200


@access(Permission.STAFF)
@require_safe
def versions(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Two versions compared: the last with the one before it, unless the address names others (``from``, ``to``)."""
    document = visible_document(document_id, reader_of(request))
    kept = list(document.versions.order_by("-number").defer("elements")[:VERSIONS_SHOWN])
    if not kept:
        raise NotFound(_("这份公文没有留下起草过程。"))
    numbers = [version.number for version in kept]
    to = _asked(request, "to", among=numbers, usual=numbers[0])
    earlier = [number for number in numbers if number < to]
    since = _asked(request, "from", among=earlier, usual=earlier[0] if earlier else to)
    compared = {
        version.number: version for version in DocumentVersion.objects.filter(document=document, number__in={since, to})
    }
    old, new = compared[since], compared[to]
    context = {
        "document": document,
        "versions": kept,
        "old": old,
        "new": new,
        "elements": differences(Elements.from_json(old.elements), Elements.from_json(new.elements)),
    }
    return render(request, "documents/versions.html", context)


def _asked(request: HttpRequest, name: str, *, among: list[int], usual: int) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 10 and int(given) in among else usual

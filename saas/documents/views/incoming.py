"""收文登记: the register and its form."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.errors import Invalid, TooLarge, Unavailable
from saas.core.storage import SNIFF_BYTES, require_content_type, require_honest_name
from saas.core.uploads import takes_upload
from saas.documents import services
from saas.documents.access import acting, documents_visible_to, reader_of
from saas.documents.forms import IncomingForm
from saas.documents.kinds import Direction, State
from saas.documents.services.incoming import SCAN_LIMIT, SCAN_TYPES
from saas.documents.views.common import list_page, matching


@access(Permission.STAFF)
@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """The register: what came in and the reader may see."""
    reader = reader_of(request)
    tab, words = request.GET.get("tab", ""), request.GET.get("q", "")
    states = {"handling": [State.REGISTERED, State.IN_HANDLING], "handled": [State.HANDLED, State.FILED]}.get(tab, [])
    rows = documents_visible_to(reader).filter(direction=Direction.INCOMING)
    rows = rows.filter(state__in=states) if states else rows.exclude(state=State.VOIDED)
    tabs = (("", _("全部")), ("handling", _("办理中")), ("handled", _("已办结")))
    context = {
        "page": list_page(request, matching(rows, words)),
        "tabs": [(key, label, key == tab) for key, label in tabs],
        "q": words,
        "may_register": reader.may(Permission.REGISTER_INCOMING),
    }
    return render(request, "documents/incoming.html", context)


@access(Permission.REGISTER_INCOMING)
@takes_upload(SCAN_LIMIT)
@require_http_methods(["GET", "POST"])
def register_scan(request: HttpRequest) -> HttpResponse:
    """Register a scan; what it is is read from its content."""
    form = IncomingForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                upload = form.cleaned_data["scan"]
                if upload.size >= SCAN_LIMIT:
                    raise TooLarge(_("文件过大，应小于 200 MB。请压缩或拆分后再上传。"))
                found = require_content_type(upload.read(SNIFF_BYTES), allowed=SCAN_TYPES)
                require_honest_name(upload.name, found)
                upload.seek(0)
                document = services.incoming_register(incoming=form.incoming(), pdf=upload.read(), by=acting(request))
            except (Invalid, TooLarge, services.BelowMark, Unavailable) as error:
                status = error.status
                for name, message in (error.fields or {"scan": error.message}).items():
                    form.add_error(name if name in form.fields else None, str(message))
            else:
                toasts.show_next(request, _("已登记：%(number)s") % {"number": document.register_number})
                return redirect("documents:detail", document.id)
    return render(request, "documents/incoming_new.html", {"form": form}, status=status)

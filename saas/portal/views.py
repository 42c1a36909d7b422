"""The frame's own acts: display choices, language, and the gallery of components for those who build pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from saas.core.access import EVERYWHERE, Permission, access
from saas.core.errors import BadRequest
from saas.portal import display
from saas.portal.context import Frame
from saas.portal.gallery import SampleForm


def _back(request: HttpRequest) -> str:
    target = request.POST.get("next", "/")
    return target if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}) else "/"


@access(Permission.SIGNED_IN, zones=EVERYWHERE)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where a sign-in leads: the first entry of this reader's menu."""
    first = Frame(request).first_url
    return redirect(first) if first else render(request, "portal/nothing.html")


@access(Permission.PUBLIC, zones=EVERYWHERE)
@require_POST
def display_choice(request: HttpRequest) -> HttpResponse:
    """Keep one display choice or the language in this browser, then return to the page it was made on."""
    response = redirect(_back(request))
    language = request.POST.get("language")
    if language is not None:
        if language not in dict(settings.LANGUAGES):
            raise BadRequest(_("没有这种语言。"))
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=display.KEPT,
            path="/",
            secure=True,
            httponly=True,
            samesite="Lax",
        )
        return response
    chosen = display.read(request)
    for name, allowed in display.CHOICES.items():
        value = request.POST.get(name)
        if value is None:
            continue
        if value not in allowed:
            raise BadRequest(_("没有这种显示方式。"))
        chosen = replace(chosen, **{name: value})
    display.write(response, chosen)
    return response


@access(Permission.PUBLIC, zones=EVERYWHERE)
@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component on one page; only where the cloud is a demonstration or under development."""
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    now = timezone.now()
    wrong = SampleForm({"title": "  ", "urgency": "特急"}, auto_id="wrong_%s")
    wrong.is_valid()
    return render(
        request,
        "portal/gallery.html",
        {
            "form": SampleForm(),
            "wrong": wrong,
            "now": now,
            "today": now + timedelta(hours=2),
            "minutes": now - timedelta(minutes=8),
            "yesterday": now - timedelta(days=1, hours=2),
            "days": now - timedelta(days=9),
            "soon": now + timedelta(days=2),
            "later": now + timedelta(days=6),
            "past": now - timedelta(days=2),
            "theme": request.GET.get("theme", ""),
        },
    )

"""Shows a refusal in the form the client asked for: a page, an htmx fragment or JSON; what was typed is kept."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation

from saas.core.errors import YunshuError

logger = logging.getLogger(__name__)

# More than this is not put back into a page; the browser's own "back" still has it.
KEPT_CHARACTERS = 200_000
_NEVER_KEPT = frozenset(
    {"csrfmiddlewaretoken", "password", "oldpassword", "password1", "password2", "code", "credential"}
)


@dataclass(frozen=True, slots=True)
class KeptField:
    """One value the user had submitted."""

    name: str
    value: str


def render(request: HttpRequest, refusal: YunshuError) -> HttpResponse:
    """The answer to a request that was refused, in the user's language, with the refusal's status."""
    with translation.override(_language(request)):
        if _wants_json(request):
            response: HttpResponse = JsonResponse(
                {
                    "code": refusal.code,
                    "message": str(refusal.message),
                    "fields": {name: str(text) for name, text in refusal.fields.items()},
                    "request_id": getattr(request, "id", ""),
                },
                status=refusal.status,
                json_dumps_params={"ensure_ascii": False},
            )
        else:
            template = "portal/error_fragment.html" if _is_fragment(request) else "core/error.html"
            response = HttpResponse(_page(request, template, _context(request, refusal)), status=refusal.status)
        response.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
    if refusal.status in {429, 503}:
        response.headers["Retry-After"] = "30"
    return response


def _context(request: HttpRequest, refusal: YunshuError) -> dict[str, object]:
    return {
        "status": refusal.status,
        "code": refusal.code,
        "message": refusal.message,
        "fields": refusal.fields,
        "request_id": getattr(request, "id", ""),
        "kept": kept_fields(request),
        "action": request.get_full_path(),
        "kept_token": _csrf_token(request),
        "sign_in": settings.LOGIN_URL if refusal.code == "session.expired" else "",
    }


def _page(request: HttpRequest, template: str, context: dict[str, object]) -> str:
    try:
        return render_to_string(template, context, request)
    except Exception:
        # The frame around the page asks who is signed in; when that is what fails, the page goes without it.
        logger.exception("an error page could not be drawn with its frame")
        return render_to_string(template, context)


def _language(request: HttpRequest) -> str:
    """The user's language; asked of the request itself, since the thread may still hold its last user's."""
    return translation.get_language_from_request(request)


def _wants_json(request: HttpRequest) -> bool:
    if request.headers.get("HX-Request"):
        return False
    accept = request.headers.get("Accept", "")
    return "application/json" in accept and "text/html" not in accept


def _is_fragment(request: HttpRequest) -> bool:
    # A boosted link or a history request replaces the whole page, so it gets one.
    headers = request.headers
    return bool(
        headers.get("HX-Request") and not headers.get("HX-Boosted") and not headers.get("HX-History-Restore-Request")
    )


def kept_fields(request: HttpRequest) -> list[KeptField]:
    """What the user submitted from our own page, to be offered for submitting again; never a password.

    A form sent from elsewhere is not offered: it was not this user who filled it in.
    """
    if request.method != "POST" or not _from_ourselves(request):
        return []
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return []
    try:
        pairs = [(name, value) for name, values in request.POST.lists() for value in values]
    except Exception:  # the body itself may be what was refused
        return []
    kept = [KeptField(name, str(value)) for name, value in pairs if name not in _NEVER_KEPT]
    return kept if sum(len(field.value) for field in kept) <= KEPT_CHARACTERS else []


def _from_ourselves(request: HttpRequest) -> bool:
    source = request.headers.get("Origin") or request.headers.get("Referer", "")
    return urlsplit(source).netloc == request.headers.get("Host", "")


def _csrf_token(request: HttpRequest) -> str:
    from django.middleware.csrf import get_token

    try:
        return get_token(request)
    except Exception:  # before the CSRF middleware there is none
        return ""

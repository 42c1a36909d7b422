"""Every answer carries its request's id and the security headers; every refusal is rendered as what was asked for."""

from __future__ import annotations

import errno
import logging
import re
import secrets
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest as DjangoBadRequest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from saas.core import errors, logs
from saas.core.refusals import render

Next = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
    )
)
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"


def protect(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Set the headers every answer carries; what a view set itself stays."""
    response.headers.setdefault("X-Request-ID", getattr(request, "id", ""))
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
    if not request.path.startswith(settings.STATIC_URL):
        # A bureau's pages are nobody else's: not in a shared cache, nor on the disk of a shared computer.
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response


class RequestMiddleware:
    """Names the request, in the log as in the answer, and protects the answer."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        given = request.headers.get("X-Request-ID", "")
        request.id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)  # type: ignore[attr-defined]
        token = logs.request_id.set(request.id)  # type: ignore[attr-defined]
        try:
            return protect(request, self.get_response(request))
        finally:
            logs.request_id.reset(token)


class ErrorMiddleware:
    """Turns what a view raised into a page, a fragment or JSON with the right status."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Render a refusal; a defect is left to Django, which logs it and asks `server_error` for the page."""
        refusal = refusal_of(exception)
        if refusal is None:
            return None
        if refusal.status >= 500:
            logger.error("refused with %s: %s", refusal.code, refusal.message, exc_info=exception)
        if isinstance(refusal, errors.Forbidden):
            _record_denial(request, refusal)
        return protect(request, render(request, refusal))


def _record_denial(request: HttpRequest, refusal: errors.YunshuError) -> None:
    """Keep who was denied what (GB/T 22239-2019, 8.1.4.3); strangers are only sent to the sign-in page."""
    from saas.core.audit.events import Event
    from saas.core.audit.services import Target, record

    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return
    try:
        record(
            Event.ACCESS_DENIED,
            by=request.actor,  # type: ignore[attr-defined]
            target=Target("route", request.path[:200]),
            detail={"method": request.method or "", "code": refusal.code},
        )
    except Exception:
        # The refusal itself must reach the user, whatever became of the connection.
        logger.exception("a denial could not be recorded")


def refusal_of(exception: BaseException | None) -> errors.YunshuError | None:  # noqa: PLR0911 - one line a kind
    """The member of the error family that `exception` means, or None for a defect."""
    match exception:
        case errors.YunshuError():
            return exception
        case Http404():
            return errors.NotFound(_("这里没有您要找的内容。它可能已被移走，或者不属于本单位。"))
        case PermissionDenied():
            return errors.Forbidden(_("您没有办理此事的权限。"))
        case RequestDataTooBig():
            return errors.TooLarge(_("提交的内容过大，请减少内容或改用附件上传后重试。"))
        case TooManyFieldsSent():
            return errors.TooLarge(_("一次提交的项目过多，请分批提交。"))
        case MultiPartParserError() | DjangoBadRequest() | SuspiciousOperation():
            return errors.BadRequest(_("无法读懂这次提交的内容，请刷新页面后重试。"))
        case DataError() if "NUL" in str(exception):
            # Forms refuse it by field; this is for what reaches the database in an address or beside a form.
            return errors.BadRequest(_("提交的内容里有无法识别的字符（空字符），没有处理。请删去后重试。"), code="nul")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return errors.Unavailable(
                _("存储空间已满，文件没有保存，其他内容未受影响。请联系系统管理员扩容后再试。"), code="storage.full"
            )
    return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: also for what fails before any view, such as an oversized body."""
    refusal = refusal_of(exception) or errors.BadRequest(_("无法读懂这次提交的内容，请刷新页面后重试。"))
    return protect(request, render(request, refusal))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    refusal = refusal_of(exception) or errors.Forbidden(_("您没有办理此事的权限。"))
    return protect(request, render(request, refusal))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    refusal = refusal_of(exception) or errors.NotFound(_("这里没有您要找的内容。"))
    return protect(request, render(request, refusal))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a defect, or a refusal raised by a middleware."""
    import sys

    refusal = refusal_of(sys.exc_info()[1])
    if refusal is None:
        refusal = errors.YunshuError(
            _("系统出现故障，这次操作没有完成，没有改动任何内容。请稍后重试；仍不行时请把下面的编号告诉管理员。"),
            code="defect",
        )
    return protect(request, render(request, refusal))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: usually a page left open over a sign-in; what was typed is offered again."""
    logger.warning("csrf check failed: %s", reason)
    refusal = errors.Forbidden(
        _("这个页面打开得太久，登录状态已经改变。您填写的内容仍在，请核对后再次提交。"), code="csrf"
    )
    return protect(request, render(request, refusal))

"""Refuses a request whose body is larger than its route takes, before a byte of the body is read.

Django would first write the whole upload to a temporary file (the CSRF check reads the form), so a 2 GB upload would
fill the disk of a web process before any view could say no.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from saas.core import errors, refusals
from saas.core.middleware import protect

View = TypeVar("View", bound=Callable[..., object])
MEGABYTE = 1_000_000
# Where a view says nothing: workbooks and other small files, whose views tell their own limits.
PLAIN_LIMIT = 32 * MEGABYTE
# Who has not signed in has nothing larger to send than a passkey's answer.
STRANGER_LIMIT = MEGABYTE
# The other fields of a form and what multipart adds to a file.
_AROUND_A_FILE = 4 * MEGABYTE


def takes_upload(most: int) -> Callable[[View], View]:
    """Say how large a file a view takes; a body beyond it (and some fields around it) is refused unread.

    Args:
        most: bytes. Write it below ``@access``.
    """

    def mark(view: View) -> View:
        view.upload_limit = most  # type: ignore[attr-defined]
        return view

    return mark


class UploadLimitMiddleware:
    """Stands before the CSRF check, which is the first to read a body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., object], args: object, kwargs: object
    ) -> HttpResponse | None:
        """413 when the announced length is beyond the route's limit; without a length Django reads nothing."""
        del args, kwargs
        length = _length(request)
        if length <= STRANGER_LIMIT:
            return None
        most: int | None = getattr(view, "upload_limit", None)
        allowed = PLAIN_LIMIT if most is None else most + _AROUND_A_FILE
        if SESSION_KEY not in request.session:
            most = allowed = STRANGER_LIMIT
        if length <= allowed:
            return None
        message = _("提交的内容过大，没有接收：这里应小于 %(megabytes)s MB。请压缩或拆分后再上传。")
        refusal = errors.TooLarge(message % {"megabytes": (most or PLAIN_LIMIT) // MEGABYTE}, code="too_large")
        # What was typed is in the body that is not read, so nothing of it can be put back into the page.
        request._mark_post_parse_error()  # type: ignore[attr-defined]
        return protect(request, refusals.render(request, refusal))


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0

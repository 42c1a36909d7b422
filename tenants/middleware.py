"""Finds the bureau from the host name before anything else sees the request; every other host is 404."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from saas.core.errors import Forbidden, NotFound, YunshuError
from saas.core.tenancy import MANAGEMENT, TenantRef
from saas.env import Zone, env
from tenants.context import use_tenant
from tenants.database.current import application_connection

if TYPE_CHECKING:
    from tenants.registry import Entry

Next = Callable[[HttpRequest], HttpResponse]

_HOST = re.compile(r"(?P<name>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::[0-9]{1,5})?\Z")
# Management's hosts: two consoles, and the door of the cells' agents, each serving its own paths.
CONSOLES = frozenset({"ops", "security"})
CELLS_DOOR = "cells"
CELLS_PREFIX = "/cell/"


def host_of(request: HttpRequest) -> str:
    """The host the client asked for, lower case and without port; empty when it is malformed.

    Only the Host header counts: a proxy's X-Forwarded-Host can be sent by anybody.
    """
    match = _HOST.match(request.META.get("HTTP_HOST", "").lower())
    return match["name"] if match else ""


def refuse(request: HttpRequest, refusal: YunshuError) -> HttpResponse:
    """Render a refusal before any other middleware has run: in the language the browser asks for."""
    from saas.core.middleware import protect
    from saas.core.refusals import render

    return protect(request, render(request, refusal))


class HostMiddleware:
    """Sets `request.tenant`, `request.appearance` and the connection's tenant for the length of the request.

    In the management zone also `request.console`: ``ops``, ``security`` or ``cells``.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        application_connection().set_schema_to_public()
        host = host_of(request)
        try:
            if settings.ZONE is Zone.MANAGEMENT:
                request.console = console_of(host, request.path)  # type: ignore[attr-defined]
                ref = MANAGEMENT
            else:
                entry = bureau_at(host)
                ref, request.appearance = entry.ref, entry.appearance  # type: ignore[attr-defined]
        except YunshuError as refusal:
            return self._refused(request, refusal)
        request.tenant = ref  # type: ignore[attr-defined]
        with use_tenant(ref):
            response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            response.streaming_content = _streamed(ref, response.streaming_content)
        return response

    def _refused(self, request: HttpRequest, refusal: YunshuError) -> HttpResponse:
        with translation.override(translation.get_language_from_request(request)):
            return refuse(request, type(refusal)(_(str(refusal.message)), code=refusal.code))


def _streamed(ref: TenantRef, content: Iterable[bytes]) -> Iterator[bytes]:
    """Make each piece under the bureau: the server asks for them after the request's own block has ended."""
    pieces = iter(content)
    while True:
        with use_tenant(ref):
            try:
                piece = next(pieces)
            except StopIteration:
                return
        yield piece


UNKNOWN_HOST = gettext_noop("这个地址没有对应的单位。请核对网址，或向本单位系统管理员询问正确的地址。")
SUSPENDED = gettext_noop("本单位的云署服务已停用，数据完好保存。请联系平台运营人员恢复服务。")


def bureau_at(host: str) -> Entry:
    """The bureau this zone serves at `host`.

    Raises:
        NotFound: no bureau is served there.
        Forbidden: the bureau is suspended or closing.
    """
    from tenants.models import State
    from tenants.registry import hosts

    entry = hosts.find(host) if host else None
    if entry is None:
        raise NotFound(UNKNOWN_HOST, code="host.unknown")
    if entry.state != State.ACTIVE:
        raise Forbidden(SUSPENDED, code="bureau.suspended")
    return entry


def console_of(host: str, path: str) -> str:
    """Which of management's doors `host` is; each serves its own paths only.

    Raises:
        NotFound: none, or the path belongs to another door.
    """
    name = host.removesuffix(f".{env.host_suffix}")
    known = host.endswith(f".{env.host_suffix}") and (name in CONSOLES or name == CELLS_DOOR)
    if not known or (name == CELLS_DOOR) != path.startswith(CELLS_PREFIX):
        raise NotFound(UNKNOWN_HOST, code="host.unknown")
    return name


def host_names(code: str) -> list[str]:
    """The host names a bureau gets in this process's zone."""
    suffix = f"ext.{env.host_suffix}" if settings.ZONE is Zone.EXTRANET else env.host_suffix
    return [f"{code}.{suffix}"]

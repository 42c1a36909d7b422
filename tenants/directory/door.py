"""Lets a cell's agent in: every request is signed with the cell's Vault key, fresh, and used once."""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from saas.core.access import Permission
from saas.core.actors import SYSTEM
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Forbidden, NotFound, TooLarge, YunshuError
from saas.core.keys import Algorithm, KeyName, holds, public_keys_pem
from saas.env import Zone
from tenants.directory.models import Cell, SeenNonce
from tenants.protocol import (
    CELL_HEADER,
    CLOCK_SKEW_SECONDS,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIME_HEADER,
    CellName,
    decode_signature,
    request_digest,
)

logger = logging.getLogger(__name__)

MOST_BYTES = 1024 * 1024
KEYS_SECONDS = 60.0
_NONCE = re.compile(r"[0-9a-f]{32}\Z")
_keys: dict[str, tuple[float, list[str]]] = {}

CellView = Callable[[HttpRequest, Cell], HttpResponse]


def cell_door(view: CellView) -> Callable[[HttpRequest], HttpResponse]:
    """Serve `view` to agents only; everybody else is refused, and the refusal is audited."""

    @csrf_exempt
    @functools.wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if settings.ZONE is not Zone.MANAGEMENT or request.method != "POST":
            raise Http404
        try:
            cell = admit(request)
        except YunshuError as refusal:
            return JsonResponse({"code": refusal.code, "message": str(refusal.message)}, status=refusal.status)
        return view(request, cell)

    guarded.permission = Permission.CELL_AGENT  # type: ignore[attr-defined]
    guarded.zones = frozenset({Zone.MANAGEMENT})  # type: ignore[attr-defined]
    return guarded


def admit(request: HttpRequest) -> Cell:
    """The cell that signed this request.

    Raises:
        Forbidden: not signed, not by that cell, not fresh, or seen before.
        TooLarge: more than an agent ever says.
    """
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise TooLarge(_("请求过大。"))
    given = request.headers.get(CELL_HEADER, "")
    stamp, nonce = request.headers.get(TIME_HEADER, ""), request.headers.get(NONCE_HEADER, "")
    try:
        name = CellName.parse(given)
        signature = decode_signature(request.headers.get(SIGNATURE_HEADER, ""))
        age = abs(time.time() - int(stamp))
    except ValueError:
        raise _refused("request.malformed", given) from None
    if age > CLOCK_SKEW_SECONDS or not _NONCE.match(nonce):
        raise _refused("request.stale", given)
    digest = request_digest(
        cell=name, method=request.method or "", path=request.path, time=stamp, nonce=nonce, body=request.body
    )
    if not any(holds(key, digest, signature, Algorithm.ECDSA_P256_SHA256) for key in _public_keys(name)):
        raise _refused("request.signature", given)
    _use_once(nonce, given)
    cell, _made = Cell.objects.update_or_create(
        zone=name.zone.value, name=name.name, defaults={"last_seen_at": timezone.now()}
    )
    return cell


def _public_keys(name: CellName) -> list[str]:
    """The cell's public keys from Vault, kept a minute; none when there is no such cell."""
    kept = _keys.get(str(name))
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    if name.zone is Zone.MANAGEMENT:
        return []
    try:
        found = list(public_keys_pem(KeyName.cell(name.zone, name.name)).values())
    except NotFound:
        return []
    _keys[str(name)] = (time.monotonic() + KEYS_SECONDS, found)
    return found


def _use_once(nonce: str, given: str) -> None:
    now = timezone.now()
    try:
        with transaction.atomic():
            SeenNonce.objects.create(nonce=nonce, seen_at=now)
    except IntegrityError:
        raise _refused("request.replayed", given) from None
    SeenNonce.objects.filter(seen_at__lt=now - timedelta(seconds=3 * CLOCK_SKEW_SECONDS)).delete()


def _refused(code: str, given: str) -> Forbidden:
    logger.warning("a request in the name of cell %r was refused: %s", given[:40], code)
    record(Event.COMMAND_REFUSED, by=SYSTEM, target=Target("cell", given[:40] or "?"), detail={"reason": code})
    return Forbidden(_("请求未通过验证，已拒绝并记录。"), code=code)

"""Writes audit records in the transaction of the act they speak of."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.audit.events import Event
from saas.core.audit.identifiers import ordered_uuid
from saas.core.audit.urgency import is_urgent
from saas.core.errors import Unavailable

Detail = Mapping[str, "str | int | bool | None | list[str]"]
# A record tells what was done; whole texts belong to the object it names.
_LABEL_CHARACTERS = 500
_POLL_SECONDS = 0.02
# Every act passes here: written by hand, it costs half of what an instance of the model does. Names of its own, so
# that an app may make it a part of the one statement it writes an act with.
INSERT = """
INSERT INTO audit_record (id, at, event, urgent, user_id, user_name, person_id, appointment_id, post_id, post_name,
    unit_id, unit_name, on_behalf_of, ip, request_id, target_kind, target_id, target_label, detail)
VALUES (%(audit_id)s, %(audit_at)s, %(audit_event)s, %(audit_urgent)s, %(audit_user)s, %(audit_user_name)s,
    %(audit_person)s, %(audit_appointment)s, %(audit_post)s, %(audit_post_name)s, %(audit_unit)s, %(audit_unit_name)s,
    %(audit_on_behalf_of)s, %(audit_ip)s, %(audit_request)s, %(audit_target_kind)s, %(audit_target)s,
    %(audit_target_label)s, %(audit_detail)s::jsonb)
"""
AuditValues = dict[str, "str | bool | UUID | datetime | None"]


@dataclass(frozen=True, slots=True)
class Target:
    """What an act was done to: kind (``document``), id and the label a reader knows it by."""

    kind: str
    id: UUID | str
    label: str = ""


def record(event: Event, *, by: Actor, target: Target | None = None, detail: Detail | None = None) -> UUID:
    """Insert one record into the current tenant's trail; the caller's transaction decides whether it stays.

    One INSERT and no lock: the sealer sees and chains the record once the transaction has committed.

    Returns:
        the record's id.
    """
    found = values(event, by=by, target=target, detail=detail)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, found)
    return UUID(str(found["audit_id"]))


def values(event: Event, *, by: Actor, target: Target | None = None, detail: Detail | None = None) -> AuditValues:
    """The values of one new record for `INSERT`, by the names of its placeholders."""
    return {
        "audit_id": ordered_uuid(),
        "audit_at": timezone.now(),
        "audit_event": event.value,
        "audit_urgent": is_urgent(event),
        "audit_user": by.user_id,
        "audit_user_name": _clean(by.user_name),
        "audit_person": by.person_id,
        "audit_appointment": by.appointment_id,
        "audit_post": by.post_id,
        "audit_post_name": _clean(by.post_name),
        "audit_unit": by.unit_id,
        "audit_unit_name": _clean(by.unit_name),
        "audit_on_behalf_of": _clean(by.on_behalf_of),
        "audit_ip": _clean(by.ip),
        "audit_request": _clean(by.request_id),
        "audit_target_kind": target.kind if target else "",
        "audit_target": _clean(str(target.id)) if target else "",
        "audit_target_label": _clean(target.label) if target else "",
        "audit_detail": json.dumps({name: _clean_value(value) for name, value in (detail or {}).items()}),
    }


def wait_for_signed_head(record_id: UUID, timeout_seconds: float) -> None:
    """Wait until a head that covers the record is signed; the record's transaction must have committed.

    Args:
        record_id: what `record` returned.
        timeout_seconds: how long to wait.

    Raises:
        Unavailable: no signed head in time (the agent does not run, or Vault is sealed or away).
    """
    until = time.monotonic() + timeout_seconds
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM audit_link l JOIN audit_head h ON h.seq >= l.seq WHERE l.record_id = %s)",
                [record_id],
            )
            row = cursor.fetchone()
        if row is not None and row[0]:
            return
        if time.monotonic() >= until:
            message = _("审计记录未能及时签名，此事没有办理。请稍后再试；如持续出现，请联系系统管理员。")
            raise Unavailable(message, code="audit.unsigned")
        time.sleep(_POLL_SECONDS)


def _clean(text: str) -> str:
    """PostgreSQL stores no NUL; what an attacker sends must not keep its own record from being written."""
    return text.replace("\x00", "�")[:_LABEL_CHARACTERS]


def _clean_value(value: str | int | bool | None | list[str]) -> str | int | bool | None | list[str]:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value

"""Writes audit records in the transaction of the act they speak of."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
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
_POLL_SECONDS = 0.05
# Every act passes here: written by hand, it costs half of what an instance of the model does.
_INSERT = """
INSERT INTO audit_record (id, at, event, urgent, user_id, user_name, person_id, appointment_id, post_id, post_name,
    unit_id, unit_name, on_behalf_of, ip, request_id, target_kind, target_id, target_label, detail)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb)
"""


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
    record_id = ordered_uuid()
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                record_id,
                timezone.now(),
                event.value,
                is_urgent(event),
                by.user_id,
                _clean(by.user_name),
                by.person_id,
                by.appointment_id,
                by.post_id,
                _clean(by.post_name),
                by.unit_id,
                _clean(by.unit_name),
                _clean(by.on_behalf_of),
                _clean(by.ip),
                _clean(by.request_id),
                target.kind if target else "",
                _clean(str(target.id)) if target else "",
                _clean(target.label) if target else "",
                json.dumps({name: _clean_value(value) for name, value in (detail or {}).items()}),
            ],
        )
    return record_id


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

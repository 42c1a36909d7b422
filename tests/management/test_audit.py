"""Management's own trail: as append-only, chained and signed as a bureau's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from saas.core.actors import SYSTEM
from saas.core.audit import Event, record, trails
from saas.core.audit.sealer import Sealer
from saas.core.audit.services import wait_for_signed_head


@pytest.fixture
def committed(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Real commits: only what has committed can be chained."""
    with django_db_blocker.unblock():
        yield
        connection.close()
        connections["owner"].close()


def test_managements_trail_is_chained_signed_and_sound(committed: None) -> None:
    record(Event.BUREAU_REQUESTED, by=SYSTEM)
    urgent = record(Event.KEYS_CREATED, by=SYSTEM)
    Sealer().tick()
    wait_for_signed_head(urgent, 0)
    report = trails.verify_schema("public", "owner", trails.believed_keys(), trails.known_marks()["public"])
    assert report.findings == ()
    assert report.signed_up_to == report.links


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit_record SET event = 'x'",
        "DELETE FROM audit_record",
        "DELETE FROM audit_link",
        "INSERT INTO audit_head SELECT 9, '', now(), '', '', 1, ''",
        "DELETE FROM audit_head",
        "DELETE FROM cell.audit_pending",
        "INSERT INTO cell.audit_pending (schema_name, record_id, urgent) VALUES ('public', gen_random_uuid(), false)",
        "DELETE FROM cell.audit_unsigned",
    ],
)
def test_managements_processes_can_only_add_and_read(committed: None, attack: str) -> None:
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(attack)
    assert getattr(refusal.value.__cause__, "sqlstate", "") == "42501"

"""The trail: written with the act, never changed, chained and signed within moments, whatever is killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from saas.core.actors import SYSTEM, Actor
from saas.core.audit import Event, record, trails
from saas.core.audit.models import AuditHead, AuditLink, AuditRecord
from saas.core.audit.sealer import LOCK, Sealer
from saas.core.audit.services import Target, wait_for_signed_head
from saas.core.audit.verify import Fault, Report, verify
from saas.core.errors import Unavailable
from saas.core.keys.client import VaultClient
from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tenants.database.owner import owner_connection
from tests.core.vault import acting_as

ACTOR = Actor(user_id=uuid.uuid4(), user_name="李建国", post_name="办公室主任", ip="10.0.0.7", request_id="r" * 32)


@pytest.fixture
def committed(alpha: TenantRef, django_db_blocker: DjangoDbBlocker) -> Iterator[TenantRef]:
    """Work for alpha with real commits: only what has committed can be chained. The trail keeps it, as it should."""
    with django_db_blocker.unblock():
        with use_tenant(alpha) as ref:
            yield ref
        connection.close()
        connections["owner"].close()


def note(**detail: str) -> uuid.UUID:
    return record(Event.DOCUMENT_DRAFTED, by=ACTOR, target=Target("document", "7", "关于…的通知"), detail=detail)


def report(ref: TenantRef) -> Report:
    mark = trails.known_marks().get(ref.schema)
    return trails.verify_schema(ref.schema, "owner", trails.believed_keys(), mark)


def linked(record_id: uuid.UUID) -> bool:
    return AuditLink.objects.filter(record_id=record_id).exists()


# --- Records ------------------------------------------------------------------------------------------------------
def test_a_record_pins_who_what_and_when_in_one_statement(
    in_alpha: TenantRef, django_assert_num_queries: Callable[..., object]
) -> None:
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        made = note(reason="x")
    kept = AuditRecord.objects.get(pk=made)
    assert (kept.event, kept.user_name, kept.post_name) == ("document.drafted", "李建国", "办公室主任")
    assert (kept.target_kind, kept.target_id, kept.target_label) == ("document", "7", "关于…的通知")
    assert (kept.detail, kept.ip, kept.urgent) == ({"reason": "x"}, "10.0.0.7", False)


def test_a_record_goes_when_its_act_is_rolled_back(committed: TenantRef) -> None:
    class Undone(Exception):
        pass

    made = []

    @transaction.atomic
    def act() -> None:
        made.append(note())
        raise Undone

    with pytest.raises(Undone):
        act()
    Sealer().tick()
    assert not AuditRecord.objects.filter(pk=made[0]).exists()
    assert not linked(made[0])


def test_hostile_text_does_not_keep_its_own_record_from_being_written(in_alpha: TenantRef) -> None:
    made = record(
        Event.SIGN_IN_FAILED,
        by=Actor(user_id=None, user_name="a\x00b" * 1000),
        detail={"name": '\x00{"a": 1}\'; DROP TABLE audit_record; --', "many": ["\x00"]},
    )
    kept = AuditRecord.objects.get(pk=made)
    assert len(kept.user_name) == 500
    assert "\x00" not in kept.user_name


def test_ids_follow_time(in_alpha: TenantRef) -> None:
    first = note()
    time.sleep(0.002)
    assert first < note()


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit_record SET user_name = 'x'",
        "DELETE FROM audit_record",
        "TRUNCATE audit_record",
        "INSERT INTO audit_link (seq, record_id, algorithm, digest) VALUES (999999, gen_random_uuid(), 'x', '')",
        "UPDATE audit_link SET digest = ''",
        "DELETE FROM audit_link",
        "INSERT INTO audit_head SELECT 999999, '', now(), 'x', 'x', 1, ''",
        "DELETE FROM audit_head",
        "INSERT INTO cell.audit_pending (schema_name, record_id, urgent) VALUES ('x', gen_random_uuid(), true)",
        "DELETE FROM cell.audit_pending",
        "SELECT * FROM cell.audit_pending",
        "SELECT * FROM cell.audit_unsigned",
        "SELECT cell.make_append_only('audit_record')",
        "ALTER TABLE audit_record DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON audit_record",
        "SET session_replication_role = replica",
    ],
)
def test_a_bureaus_role_can_only_add_and_read(in_alpha: TenantRef, attack: str) -> None:
    made = note()
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(attack)
    assert getattr(refusal.value.__cause__, "sqlstate", "") == "42501"
    assert AuditRecord.objects.get(pk=made).user_name == "李建国"


@pytest.mark.parametrize("table", ["audit_record", "audit_link", "audit_head"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_owner_is_stopped_by_the_trigger(committed: TenantRef, table: str, change: str) -> None:
    column = {"audit_record": "event", "audit_link": "seq", "audit_head": "seq"}[table]
    statement = change.format(f'"{committed.schema}".{table}', column, column)
    owner = connections["owner"]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(using="owner"):
        owner.cursor().execute(statement)


def test_a_record_cannot_be_replaced_under_its_id(in_alpha: TenantRef) -> None:
    made = note()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditRecord.objects.create(id=made, at="2026-01-01T00:00:00Z", event="x")


# --- The sealer ---------------------------------------------------------------------------------------------------
def test_a_committed_record_is_chained_and_signed_by_the_minute(committed: TenantRef) -> None:
    Sealer(sign_every_seconds=0).tick()
    heads = AuditHead.objects.count()
    made = note()
    assert Sealer(sign_every_seconds=3600).tick() == 1
    assert linked(made)
    assert AuditHead.objects.count() == heads
    Sealer(sign_every_seconds=0).tick()
    assert AuditHead.objects.count() == heads + 1
    assert report(committed).findings == ()
    Sealer(sign_every_seconds=0).tick()
    assert AuditHead.objects.count() == heads + 1


def test_an_urgent_record_is_signed_at_once_and_can_be_waited_for(committed: TenantRef) -> None:
    made = record(Event.SEAL_STAMPING, by=ACTOR)
    with pytest.raises(Unavailable) as refusal:
        wait_for_signed_head(made, 0.1)
    assert refusal.value.code == "audit.unsigned"
    stop = threading.Event()
    sealer = threading.Thread(target=Sealer().run, args=(stop,))
    sealer.start()
    try:
        wait_for_signed_head(made, 20)
    finally:
        stop.set()
        sealer.join()


def test_without_vault_the_chain_grows_and_is_signed_later(committed: TenantRef) -> None:
    made = record(Event.SEAL_STAMPING, by=ACTOR)
    with (
        acting_as(VaultClient(address="http://127.0.0.1:9", role_id="x", secret_id="x")),
        pytest.raises(Unavailable),
    ):
        Sealer().tick()
    assert linked(made)
    with pytest.raises(Unavailable):
        wait_for_signed_head(made, 0)
    Sealer().tick()
    wait_for_signed_head(made, 0)
    assert report(committed).findings == ()


def test_each_bureau_has_a_chain_of_its_own(committed: TenantRef, beta: TenantRef) -> None:
    mine = note()
    with use_tenant(beta):
        theirs = note()
        assert not AuditRecord.objects.filter(pk=mine).exists()
    Sealer(sign_every_seconds=0).tick()
    assert linked(mine)
    assert not linked(theirs)
    assert report(committed).findings == report(beta).findings == ()


def test_writers_at_once_with_rollbacks_leave_a_sound_chain_of_exactly_what_committed(
    committed: TenantRef, django_db_blocker: DjangoDbBlocker
) -> None:
    kept: list[uuid.UUID] = []
    stop = threading.Event()

    def write(seed: int) -> None:
        dice = random.Random(seed)
        with django_db_blocker.unblock(), use_tenant(committed):
            for _ in range(25):
                try:
                    with transaction.atomic():
                        ids = [note(n=str(n)) for n in range(dice.randint(1, 3))]
                        if dice.random() < 0.4:
                            raise ZeroDivisionError
                    kept.extend(ids)
                except ZeroDivisionError:
                    pass
            connection.close()

    def seal() -> None:
        with django_db_blocker.unblock():
            Sealer(sign_every_seconds=0.2).run(stop)

    sealers = [threading.Thread(target=seal) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(6)]
    for thread in (*sealers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    Sealer(sign_every_seconds=0).tick()
    assert AuditLink.objects.filter(record_id__in=kept).count() == len(kept)
    assert AuditLink.objects.count() == AuditRecord.objects.count()
    found = report(committed)
    assert found.findings == ()
    assert found.signed_up_to == found.links


_SEALER = """
import django
django.setup()
import threading
from saas.core.audit.sealer import LOCK, Sealer
print("ready", flush=True)
Sealer(sign_every_seconds=0.05).run(threading.Event())
"""


def test_a_sealer_killed_at_any_moment_leaves_a_sound_chain(committed: TenantRef) -> None:
    made = []
    dice = random.Random(7)
    environment = {**os.environ, "PROCESS": "cli", "DJANGO_SETTINGS_MODULE": "saas.settings"}
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", _SEALER], env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        until = time.monotonic() + 0.3 + dice.random()
        while time.monotonic() < until:
            made.append(note())
        process.kill()
        process.wait()
        process.stdout.close()
    Sealer(sign_every_seconds=0).tick()
    assert AuditLink.objects.filter(record_id__in=made).count() == len(made)
    assert report(committed).findings == ()


def test_one_bureaus_trouble_does_not_stop_the_others(committed: TenantRef, beta: TenantRef) -> None:
    with use_tenant(beta):
        theirs = note()
    made = note()
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{beta.schema}".audit_link RENAME TO audit_link_away')
    try:
        Sealer().tick()
        assert linked(made)
    finally:
        with owner.cursor() as cursor:
            cursor.execute(f'ALTER TABLE "{beta.schema}".audit_link_away RENAME TO audit_link')
    Sealer().tick()
    with use_tenant(beta):
        assert linked(theirs)


def test_a_sealer_kept_from_its_lock_says_who_keeps_it(
    committed: TenantRef, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer = Sealer(sign_every_seconds=0)
    made = note()
    with owner_connection() as other:
        other.execute(LOCK.replace("pg_try_advisory_xact_lock", "pg_advisory_lock"))
        pid = other.info.backend_pid
        sealer.tick()
        assert "kept from its lock" not in caplog.text
        monkeypatch.setattr("saas.core.audit.sealer.LOCKED_OUT_SECONDS", 0.0)
        sealer.tick()
        assert not linked(made)
        told = [record for record in caplog.records if "kept from its lock" in record.message]
        assert {(each.levelname, each.__dict__["holder"]) for each in told} == {
            ("ERROR", f"{pid} yunshu_intranet_c1_owner")
        }
    caplog.clear()
    sealer.tick()
    assert linked(made)
    assert "kept from its lock" not in caplog.text


# --- Tampering by the owner, in place -----------------------------------------------------------------------------
@contextmanager
def tampering(ref: TenantRef, *statements: str) -> Iterator[Report]:
    """Do what only someone with the owner's password and patience could do; undone at the end."""
    keys = trails.believed_keys()
    with transaction.atomic(using="owner"):
        prepare = [f'SET LOCAL search_path = "{ref.schema}", cell']
        prepare += [f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in ("audit_record", "audit_link", "audit_head")]
        with connections["owner"].cursor() as cursor:
            # In one go: the back end puts every new statement back outside the bureaus.
            cursor.execute("; ".join([*prepare, *statements]))
        yield verify(
            trail=trails.trail_of(ref.schema),
            heads=trails.heads_of(ref.schema, "owner"),
            entries=trails.entries_of(ref.schema, "owner"),
            keys=keys,
        )
        transaction.set_rollback(True, using="owner")


_LAST = "(SELECT record_id FROM audit_link ORDER BY seq DESC LIMIT 1)"


@pytest.mark.parametrize(
    ("statements", "faults"),
    [
        ([], set()),
        ([f"UPDATE audit_record SET user_name = '王五' WHERE id = {_LAST}"], {Fault.CHANGED}),
        ([f"UPDATE audit_record SET detail = '{{}}' WHERE id = {_LAST}"], {Fault.CHANGED}),
        ([f"UPDATE audit_record SET at = at + interval '1 us' WHERE id = {_LAST}"], {Fault.CHANGED}),
        ([f"DELETE FROM audit_record WHERE id = {_LAST}"], {Fault.MISSING_RECORD}),
        (["INSERT INTO audit_record SELECT (r).* FROM (SELECT r FROM audit_record r LIMIT 0) s"], set()),
        (
            [
                "CREATE TEMP TABLE extra ON COMMIT DROP AS SELECT * FROM audit_record LIMIT 1",
                "UPDATE extra SET id = gen_random_uuid()",
                "INSERT INTO audit_record SELECT * FROM extra",
            ],
            {Fault.EXTRA_RECORD},
        ),
        (["DELETE FROM audit_link WHERE seq = 2"], {Fault.GAP, Fault.EXTRA_RECORD}),
        (
            [
                f"DELETE FROM audit_record WHERE id = {_LAST}",
                "DELETE FROM audit_link WHERE seq = (SELECT max(seq) FROM audit_link)",
            ],
            {Fault.HEAD_BEYOND_CHAIN},
        ),
        (["UPDATE audit_head SET signed_at = signed_at - interval '1 day'"], {Fault.BAD_SIGNATURE}),
        (["UPDATE audit_head SET signature = '\\x3006020101020101'"], {Fault.BAD_SIGNATURE}),
        (["UPDATE audit_head SET key_version = 99"], {Fault.UNKNOWN_KEY}),
        (["UPDATE audit_head SET algorithm = 'SM2-SM3'"], {Fault.UNKNOWN_ALGORITHM}),
    ],
)
def test_every_kind_of_tampering_in_the_database_is_found(
    committed: TenantRef, statements: list[str], faults: set[Fault]
) -> None:
    for _ in range(3):
        note(reason="x")
    Sealer(sign_every_seconds=0).tick()
    with tampering(committed, *statements) as found:
        assert {finding.fault for finding in found.findings} == faults


def test_a_chain_recomputed_after_a_change_contradicts_its_signed_heads(committed: TenantRef) -> None:
    from saas.core.audit.chain import GENESIS, Link, link_digest
    from saas.core.audit.verify import Entry

    for _ in range(2):
        note()
    Sealer(sign_every_seconds=0).tick()
    previous, forged = GENESIS, []
    for entry in trails.entries_of(committed.schema, "owner"):
        assert entry.link is not None
        content = {**(entry.content or {}), "user_name": "王五"}
        link = entry.link
        previous = link_digest(previous=previous, seq=link.seq, record_id=link.record_id, content=content)
        forged.append(Entry(Link(link.seq, link.record_id, link.algorithm, previous), content))
    heads = trails.heads_of(committed.schema, "owner")
    found = verify(trail=trails.trail_of(committed.schema), heads=heads, entries=forged, keys=trails.believed_keys())
    assert {finding.fault for finding in found.findings} == {Fault.HEAD_MISMATCH}


def test_another_bureaus_head_proves_nothing(committed: TenantRef, beta: TenantRef) -> None:
    note()
    Sealer(sign_every_seconds=0).tick()
    found = verify(
        trail=trails.trail_of(beta.schema),
        heads=trails.heads_of(committed.schema, "owner"),
        entries=trails.entries_of(committed.schema, "owner"),
        keys=trails.believed_keys(),
    )
    assert {finding.fault for finding in found.findings} == {Fault.BAD_SIGNATURE}


def test_the_system_can_be_the_actor(in_alpha: TenantRef) -> None:
    assert AuditRecord.objects.get(pk=record(Event.KEYS_CREATED, by=SYSTEM)).urgent

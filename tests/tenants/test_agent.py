"""The cell's agent obeys management's signed commands alone, each once, and loses nothing while management is away."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from django.db import connection
from django.utils import timezone

from saas.core.audit.models import AuditRecord
from saas.core.errors import NotFound, Unavailable
from saas.core.tenancy import TenantRef
from saas.env import Zone
from tenants import services
from tenants.agent import execution, facts
from tenants.agent.client import ManagementAway
from tenants.agent.loop import Agent
from tenants.agent.verification import CommandRefused, Verifier
from tenants.context import use_tenant
from tenants.database.owner import owner_connection
from tenants.models import AppliedCommand, Bureau
from tenants.protocol import CellName, CommandText, Kind, canonical, command_digest, encode_signature

CELL = CellName(Zone.INTRANET, "c1")
FOREVER = float("inf")


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    """Management's key, for a run in which management's Vault mount is not there."""
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _signed(key: ec.EllipticCurvePrivateKey, text: str) -> dict[str, str]:
    signature = key.sign(command_digest(text), ec.ECDSA(Prehashed(hashes.SHA256())))
    return {"text": text, "signature": encode_signature(signature), "algorithm": "ECDSA-P256-SHA256"}


def _command(**changes: Any) -> CommandText:
    now = timezone.now()
    made = CommandText(
        id=uuid4(),
        cell=CELL,
        sequence=10**6 + int(now.timestamp() * 1000),
        kind=Kind.SUSPEND,
        payload={"code": "alpha"},
        issued_at=now,
        expires_at=now + timedelta(hours=1),
    )
    return dataclasses.replace(made, **changes)


class _Management:
    """The other end, in memory: what the agent posted."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.away = False

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if self.away:
            raise ManagementAway("away")
        self.posts.append((path, body))
        return {"commands": []}

    def reports(self) -> list[dict[str, Any]]:
        return [report for _path, body in self.posts for report in body.get("reports", [])]


@pytest.fixture
def agent(outside: None, key: ec.EllipticCurvePrivateKey) -> Any:

    agent = Agent(cell=CELL)
    agent.client = _Management()  # type: ignore[assignment]
    agent.verifier = Verifier(CELL, _keys=(FOREVER, [_pem(key)]))
    yield agent
    _finish(agent)
    Bureau.objects.using("owner").filter(code="alpha").update(state="active")
    AppliedCommand.objects.using("owner").all().delete()


def _finish(agent: Agent) -> None:
    if agent._running is not None and agent._running.thread is not None:
        agent._running.thread.join()
        agent._running = None


def _state(code: str = "alpha") -> str:
    return str(Bureau.objects.using("owner").get(code=code).state)


def test_a_signed_command_is_carried_out_and_its_outcome_reported(
    agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    command = _command()
    agent.take([_signed(key, command.canonical())])
    _finish(agent)
    assert _state() == "suspended"
    agent.take([_signed(key, command.canonical())])
    report = agent.client.reports()[-1]  # type: ignore[attr-defined]
    assert (report["id"], report["state"], report["result"]) == (str(command.id), "done", {"state": "suspended"})


def test_a_replayed_command_is_answered_but_not_carried_out_again(
    agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    suspend = _command()
    resume = _command(sequence=suspend.sequence + 1, kind=Kind.RESUME)
    for command in (suspend, resume):
        agent.take([_signed(key, command.canonical())])
        _finish(agent)
    assert _state() == "active"
    agent.take([_signed(key, suspend.canonical())])
    _finish(agent)
    assert _state() == "active"


def _refused(agent: Agent, given: dict[str, str]) -> list[dict[str, Any]]:
    agent.take([given])
    assert agent._running is None
    assert _state() == "active"
    return [report for report in agent.client.reports() if report["state"] == "refused"]  # type: ignore[attr-defined]


def test_a_changed_text_is_refused(agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef) -> None:
    given = _signed(key, _command(payload={"code": "beta"}).canonical())
    given["text"] = given["text"].replace("beta", "alpha")
    assert "signature" in _refused(agent, given)[0]["error"]


def test_another_key_is_refused(agent: Agent, alpha: TenantRef) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert "signature" in _refused(agent, _signed(stranger, _command().canonical()))[0]["error"]


def test_a_signature_over_another_kind_of_text_is_refused(
    agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    text = _command().canonical()
    given = _signed(key, text)
    bare = key.sign(hashlib.sha256(text.encode()).digest(), ec.ECDSA(Prehashed(hashes.SHA256())))
    assert _refused(agent, {**given, "signature": encode_signature(bare)})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expired"),
        (
            {"issued_at": timezone.now() + timedelta(hours=1), "expires_at": timezone.now() + timedelta(hours=2)},
            "future",
        ),
    ],
)
def test_an_expired_or_future_command_is_refused(
    changes: dict[str, Any], reason: str, agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    assert reason in _refused(agent, _signed(key, _command(**changes).canonical()))[0]["error"]


@pytest.mark.parametrize("cell", [CellName(Zone.EXTRANET, "c1"), CellName(Zone.INTRANET, "c2")])
def test_a_command_for_another_cell_is_not_obeyed(
    cell: CellName, agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    assert _refused(agent, _signed(key, _command(cell=cell).canonical())) == []


def test_a_withheld_command_is_refused_after_a_later_one(
    agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    later = _command(kind=Kind.RESUME)
    agent.take([_signed(key, later.canonical())])
    _finish(agent)
    withheld = _command(sequence=later.sequence - 1)
    assert "out of order" in _refused(agent, _signed(key, withheld.canonical()))[0]["error"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"text": "", "signature": "", "algorithm": ""},
        {"text": "{}", "signature": "!!!", "algorithm": "ECDSA-P256-SHA256"},
        {"text": "{}", "signature": "AAAA", "algorithm": "none"},
        {"text": "[]", "signature": "AAAA", "algorithm": "ECDSA-P256-SHA256"},
    ],
)
def test_nonsense_is_refused(given: dict[str, str], agent: Agent, alpha: TenantRef) -> None:
    assert _refused(agent, given) == []


def test_a_text_that_is_signed_but_not_canonical_is_refused(key: ec.EllipticCurvePrivateKey) -> None:
    verifier = Verifier(CELL, _keys=(FOREVER, [_pem(key)]))
    text = _command().canonical().replace('":"', '": "', 1)
    given = _signed(key, text)
    with pytest.raises(CommandRefused, match="canonical"):
        verifier.check(**given, last_sequence=0, now=timezone.now())


def test_a_refusal_stands_in_the_bureaus_own_trail(
    agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    command = _command(expires_at=timezone.now() - timedelta(seconds=1))
    _refused(agent, _signed(key, command.canonical()))
    with use_tenant(alpha):
        assert AuditRecord.objects.filter(event="command.refused", target_id=str(command.id)).count() == 1


def test_a_refusal_that_did_not_arrive_is_told_again_and_stands_in_the_trail_once(
    agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    command = _command(expires_at=timezone.now() - timedelta(seconds=1))
    given = _signed(key, command.canonical())
    agent.client.away = True  # type: ignore[attr-defined]
    with pytest.raises(ManagementAway):
        agent.take([given])
    agent.client.away = False  # type: ignore[attr-defined]
    assert [report["id"] for report in _refused(agent, given)] == [str(command.id)]
    with use_tenant(alpha):
        assert AuditRecord.objects.filter(event="command.refused", target_id=str(command.id)).count() == 1


def _failed_job(alpha: TenantRef) -> int:
    with use_tenant(alpha), connection.cursor() as cursor:
        cursor.execute(
            "SELECT cell.enqueue('default', 'tests.none', %s, '{}', now() + interval '1 day')", [uuid4().hex]
        )
        job_id = int(cursor.fetchone()[0])
    with owner_connection() as owner:
        owner.execute("UPDATE cell.procrastinate_jobs SET status = 'failed' WHERE id = %s", [job_id])
    return job_id


def test_a_job_done_again_on_command_stands_in_the_bureaus_trail_and_may_be_asked_for_twice(
    outside: None, alpha: TenantRef
) -> None:
    job_id = _failed_job(alpha)
    command = _command(kind=Kind.RETRY_JOB, payload={"job_id": job_id})
    try:
        # Killed before the outcome was kept, the agent carries the command out again.
        for _time in range(2):
            assert execution.execute(command, lambda *_told: None) == {"job_id": job_id}
        with owner_connection() as owner:
            row = owner.execute("SELECT status::text FROM cell.procrastinate_jobs WHERE id = %s", [job_id]).fetchone()
        assert row == ("todo",)
        with use_tenant(alpha):
            assert AuditRecord.objects.filter(event="job.repeated", target_id=str(job_id)).count() == 1
    finally:
        with owner_connection() as owner:
            owner.execute("DELETE FROM cell.procrastinate_jobs WHERE id = %s", [job_id])
    with pytest.raises(NotFound):
        execution.execute(command, lambda *_told: None)


def test_a_suspension_whose_record_cannot_be_kept_does_not_happen(
    outside: None, alpha: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: Any, **_named: Any) -> None:
        raise Unavailable("killed here")

    with monkeypatch.context() as broken:
        broken.setattr("tenants.services.record", fail)
        with pytest.raises(Unavailable):
            services.suspend("alpha")
    try:
        assert _state() == "active"
        with owner_connection() as owner:
            assert not owner.execute("SELECT 1 FROM cell.suspended WHERE tenant = %s", [alpha.schema]).fetchone()
    finally:
        services.resume("alpha")


def test_a_failing_command_is_reported_with_its_reason(
    agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    command = _command(payload={"code": "nobody"})
    agent.take([_signed(key, command.canonical())])
    _finish(agent)
    agent.take([_signed(key, command.canonical())])
    report = agent.client.reports()[-1]  # type: ignore[attr-defined]
    assert report["state"] == "failed"
    assert "nobody" in report["error"]


def test_an_outcome_is_kept_while_management_is_away(
    agent: Agent, key: ec.EllipticCurvePrivateKey, alpha: TenantRef
) -> None:
    command = _command()
    agent.take([_signed(key, command.canonical())])
    agent.client.away = True  # type: ignore[attr-defined]
    _finish(agent)
    with pytest.raises(ManagementAway):
        agent.tick()
    agent.client.away = False  # type: ignore[attr-defined]
    restarted = Agent(cell=CELL)
    restarted.client, restarted.verifier = agent.client, agent.verifier
    restarted.take([_signed(key, command.canonical())])
    assert agent.client.reports()[-1]["state"] == "done"  # type: ignore[attr-defined]


def test_facts_tell_numbers_and_error_classes_only(outside: None, alpha: TenantRef) -> None:
    told = facts.gather()
    kinds = {fact["kind"] for fact in told}
    assert kinds == {"health", "jobs", "failed_jobs", "bureaus", "bureau"}
    own = next(fact for fact in told if fact.get("bureau") == "alpha")
    assert own["value"]["users"] >= 3
    assert alpha.name not in canonical(told)
    assert alpha.schema not in canonical(told)
    health = next(fact["value"] for fact in told if fact["kind"] == "health")
    assert health["vault"] == "ready"
    assert health["database_ms"] > 0
    assert health["storage_ms"] is not None

"""Orders become signed commands, reports settle them, and only cells with their own key are let in."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from saas.core.actors import Actor
from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict, Invalid, NotFound, Unavailable
from saas.core.keys import Algorithm, KeyName, verifies
from saas.env import Zone
from tenants.directory import door, selectors, services
from tenants.directory.models import BureauState, Cell, Command, DirectoryBureau
from tenants.protocol import (
    CELL_HEADER,
    COMMANDS_PATH,
    FACTS_PATH,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIME_HEADER,
    CellName,
    CommandText,
    command_digest,
    encode_signature,
    request_digest,
)

pytestmark = pytest.mark.django_db
BY = Actor(user_id=None, user_name="运维")
INTRANET, EXTRANET = CellName(Zone.INTRANET, "c1"), CellName(Zone.EXTRANET, "c1")


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> dict[CellName, ec.EllipticCurvePrivateKey]:
    """The two cells' keys; this run's Vault holds management's alone."""
    made = {name: ec.generate_private_key(ec.SECP256R1()) for name in (INTRANET, EXTRANET)}
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pems = {
        str(name): (float("inf"), [key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()])
        for name, key in made.items()
    }
    monkeypatch.setattr(door, "_keys", pems)
    return made


@pytest.fixture
def cells(db: None) -> dict[CellName, Cell]:
    now = timezone.now()
    return {
        name: Cell.objects.create(zone=name.zone.value, name=name.name, last_seen_at=now)
        for name in (INTRANET, EXTRANET)
    }


class _Agent:
    """Speaks as a cell; each part of a request can be forged."""

    def __init__(self, name: CellName, key: ec.EllipticCurvePrivateKey) -> None:
        self.name, self.key = name, key
        self.client = Client(headers={"host": "cells.localhost"})

    def post(
        self,
        path: str,
        body: Any,
        *,
        age: int = 0,
        nonce: str = "",
        claim: str = "",
        sent: bytes | None = None,
        method: str = "POST",
    ) -> HttpResponse:
        data = json.dumps(body).encode()
        stamp, nonce = str(int(time.time()) - age), nonce or secrets.token_hex(16)
        digest = request_digest(cell=self.name, method=method, path=path, time=stamp, nonce=nonce, body=data)
        signature = self.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        headers = {
            CELL_HEADER: claim or str(self.name),
            TIME_HEADER: stamp,
            NONCE_HEADER: nonce,
            SIGNATURE_HEADER: encode_signature(signature),
        }
        answer = self.client.post(
            path, data if sent is None else sent, content_type="application/json", headers=headers
        )
        return cast(HttpResponse, answer)


@pytest.fixture
def intranet(keys: dict[CellName, ec.EllipticCurvePrivateKey], db: None) -> _Agent:
    return _Agent(INTRANET, keys[INTRANET])


@pytest.fixture
def extranet(keys: dict[CellName, ec.EllipticCurvePrivateKey], db: None) -> _Agent:
    return _Agent(EXTRANET, keys[EXTRANET])


def _create(code: str = "fgw", **changes: str) -> services.BureauRequest:
    values = {"name": "某市发展和改革委员会", "division_code": "330100", "level": "city", "by": BY, **changes}
    return services.bureau_create(code=code, **values)  # type: ignore[arg-type]


def _refusals() -> list[str]:
    return [str(record.detail["reason"]) for record in AuditRecord.objects.filter(event="command.refused")]


# --- ordering -------------------------------------------------------------------------------------------------
def test_an_order_is_a_signed_command_to_one_cell_of_each_zone(cells: dict[CellName, Cell]) -> None:
    request = _create()
    assert sorted(str(command.cell) for command in request.commands) == ["extranet/c1", "intranet/c1"]
    for command in request.commands:
        text = CommandText.parse(command.text)
        assert (text.cell, text.kind.value, text.payload["code"]) == (command.cell.cell_name, "create", "fgw")
        digest = command_digest(command.text)
        assert verifies(KeyName.commands(), digest, bytes(command.signature), Algorithm(command.algorithm))
    assert AuditRecord.objects.filter(event="bureau.requested").count() == 1


def test_passwords_are_shown_once_and_only_hashes_travel(cells: dict[CellName, Cell]) -> None:
    request = _create()
    assert len({sign_in.password for sign_in in request.sign_ins}) == 3
    for sign_in in request.sign_ins:
        assert all(sign_in.password not in command.text for command in request.commands)
        assert sign_in.password not in repr(sign_in)
        assert "argon2" in CommandText.parse(request.commands[0].text).payload["administrator_hashes"][sign_in.role]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "Fgw"}, "code"),
        ({"code": "1fgw"}, "code"),
        ({"code": "f"}, "code"),
        ({"code": "f" * 32}, "code"),
        ({"code": "发改委"}, "code"),
        ({"code": "fg--w"}, "code"),
        ({"code": "fgw-"}, "code"),
        ({"code": "fgw.x"}, "code"),
        ({"code": "ops"}, "code"),
        ({"code": "ext"}, "code"),
        ({"code": ""}, "code"),
        ({"name": "  "}, "name"),
        ({"name": "长" * 101}, "name"),
        ({"name": "有\x00控制字符"}, "name"),
        ({"division_code": "999999"}, "division_code"),
        ({"division_code": ""}, "division_code"),
        ({"level": "国家"}, "level"),
        ({"parent_code": "nobody"}, "parent_code"),
    ],
)
def test_what_a_bureau_cannot_be_is_said_by_field(
    changes: dict[str, str], field: str, cells: dict[CellName, Cell]
) -> None:
    with pytest.raises(Invalid) as refused:
        _create(**changes)
    assert list(refused.value.fields) == [field]
    assert not DirectoryBureau.objects.exists()
    assert not Command.objects.exists()


def test_a_taken_code_is_a_conflict_in_a_clerks_words(cells: dict[CellName, Cell]) -> None:
    _create()
    with pytest.raises(Conflict, match="已被使用"):
        _create()
    assert Command.objects.count() == 2


def test_without_cells_nothing_is_ordered(db: None) -> None:
    with pytest.raises(Unavailable):
        _create()
    assert not DirectoryBureau.objects.exists()


def test_a_full_cell_gets_no_more_bureaus(cells: dict[CellName, Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_BUREAUS", 1)
    _create()
    with pytest.raises(Unavailable):
        _create("gxj")


def test_only_what_fits_the_state_can_be_ordered(cells: dict[CellName, Cell]) -> None:
    _create()
    for order in (services.bureau_suspend, services.bureau_resume):
        with pytest.raises(Conflict):
            order(code="fgw", by=BY)
        with pytest.raises(NotFound):
            order(code="nobody", by=BY)


# --- reports --------------------------------------------------------------------------------------------------
def _pull(agent: _Agent, reports: list[dict[str, Any]] | None = None) -> list[CommandText]:
    answer = agent.post(COMMANDS_PATH, {"reports": reports or []})
    assert answer.status_code == 200, answer.content
    return [CommandText.parse(item["text"]) for item in json.loads(answer.content)["commands"]]


def _report(command: CommandText, state: str, **more: Any) -> dict[str, Any]:
    return {"id": str(command.id), "state": state, "progress": 50, "step": "建立密钥", **more}


def test_a_bureau_is_active_when_every_cell_has_made_it(
    cells: dict[CellName, Cell], intranet: _Agent, extranet: _Agent
) -> None:
    _create()
    (mine,), (theirs,) = _pull(intranet), _pull(extranet)
    assert _pull(intranet, [_report(mine, "running")]) == [mine]
    assert (selectors.commands()[0].progress, selectors.commands()[1].progress) in ((50, 0), (0, 50))
    assert _pull(intranet, [_report(mine, "done", result={"code": "fgw"})]) == []
    assert DirectoryBureau.objects.get().state == BureauState.CREATING
    assert _pull(extranet, [_report(theirs, "done")]) == []
    assert DirectoryBureau.objects.get().state == BureauState.ACTIVE
    assert AuditRecord.objects.filter(event="bureau.created").count() == 1


def test_a_failed_making_can_be_ordered_again_under_the_same_identity(
    cells: dict[CellName, Cell], intranet: _Agent, extranet: _Agent
) -> None:
    first = _create()
    _pull(intranet, [_report(_pull(intranet)[0], "failed", error="磁盘已满")])
    _pull(extranet, [_report(_pull(extranet)[0], "done")])
    bureau = DirectoryBureau.objects.get()
    assert (bureau.state, bureau.schema_name) == (BureauState.FAILED, first.bureau.schema_name)
    again = _create()
    assert (again.bureau.id, again.bureau.schema_name) == (first.bureau.id, first.bureau.schema_name)
    for agent in (intranet, extranet):
        (command,) = _pull(agent)
        _pull(agent, [_report(command, "done")])
    assert DirectoryBureau.objects.get().state == BureauState.ACTIVE


def test_a_cell_cannot_report_for_another(cells: dict[CellName, Cell], intranet: _Agent, extranet: _Agent) -> None:
    _create()
    (theirs,) = _pull(extranet)
    _pull(intranet, [_report(theirs, "done")])
    assert _pull(extranet) == [theirs]


def test_a_final_state_stays(cells: dict[CellName, Cell], intranet: _Agent) -> None:
    _create()
    (command,) = _pull(intranet)
    _pull(intranet, [_report(command, "done")])
    _pull(intranet, [_report(command, "failed", error="x")])
    assert Command.objects.get(id=command.id).state == "done"


def test_suspending_and_resuming_go_through_both_cells(
    cells: dict[CellName, Cell], intranet: _Agent, extranet: _Agent
) -> None:
    _create()
    for agent in (intranet, extranet):
        _pull(agent, [_report(_pull(agent)[0], "done")])
    for order, reached in (
        (services.bureau_suspend, BureauState.SUSPENDED),
        (services.bureau_resume, BureauState.ACTIVE),
    ):
        order(code="fgw", by=BY)
        for agent in (intranet, extranet):
            _pull(agent, [_report(_pull(agent)[0], "done")])
        assert DirectoryBureau.objects.get().state == reached


def test_a_refused_command_is_audited(cells: dict[CellName, Cell], intranet: _Agent) -> None:
    _create()
    _pull(intranet, [_report(_pull(intranet)[0], "refused", error="expired")])
    assert _refusals() == ["expired"]


def test_facts_are_kept_by_kind_and_bureau(cells: dict[CellName, Cell], intranet: _Agent) -> None:
    for users in (3, 4):
        body = {
            "facts": [
                {"kind": "health", "value": {"vault": "ready"}},
                {"kind": "bureau", "bureau": "fgw", "value": {"users": users}},
            ]
        }
        assert intranet.post(FACTS_PATH, body).status_code == 200
    assert selectors.facts_by_bureau() == {"fgw": {"users": 4}}
    health = next(item for item in selectors.health() if item.cell.zone == "intranet")
    assert (health.health, health.reachable) == ({"vault": "ready"}, True)


# --- the door -------------------------------------------------------------------------------------------------
def test_a_cell_with_a_key_is_entered_at_its_first_request(intranet: _Agent) -> None:
    assert intranet.post(COMMANDS_PATH, {}).status_code == 200
    assert [str(cell) for cell in selectors.cells()] == ["intranet/c1"]


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        ({"age": 3600}, "request.stale"),
        ({"age": -3600}, "request.stale"),
        ({"nonce": "short"}, "request.stale"),
        ({"sent": b'{"reports": [1]}'}, "request.signature"),
        ({"claim": "extranet/c1"}, "request.signature"),
        ({"claim": "management/c1"}, "request.signature"),
        ({"claim": "nowhere"}, "request.malformed"),
        ({"claim": "intranet/../c1"}, "request.malformed"),
        ({"method": "GET"}, "request.signature"),
    ],
)
def test_a_forged_request_is_refused_and_audited(forgery: dict[str, Any], reason: str, intranet: _Agent) -> None:
    answer = intranet.post(COMMANDS_PATH, {"reports": []}, **forgery)
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, reason)
    assert _refusals() == [reason]
    assert not Cell.objects.exists()


def test_a_replayed_request_is_refused(intranet: _Agent) -> None:
    nonce = secrets.token_hex(16)
    assert intranet.post(COMMANDS_PATH, {}, nonce=nonce).status_code == 200
    assert intranet.post(COMMANDS_PATH, {}, nonce=nonce).status_code == 403
    assert _refusals() == ["request.replayed"]


def test_a_signature_for_one_path_does_not_open_another(intranet: _Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    real = intranet.client.post

    def elsewhere(_path: str, *args: Any, **named: Any) -> Any:
        return real(FACTS_PATH, *args, **named)

    monkeypatch.setattr(intranet.client, "post", elsewhere)
    assert intranet.post(COMMANDS_PATH, {"facts": []}).status_code == 403


@pytest.mark.parametrize("host", ["ops.localhost", "security.localhost", "fgw.localhost"])
def test_the_door_is_at_its_own_host_alone(host: str, intranet: _Agent) -> None:
    intranet.client = Client(headers={"host": host})
    assert intranet.post(COMMANDS_PATH, {}).status_code == 404


@pytest.fixture
def anonymous() -> Iterator[Client]:
    return Client(headers={"host": "cells.localhost"})  # type: ignore[return-value]


@pytest.mark.parametrize("path", [COMMANDS_PATH, FACTS_PATH])
def test_nobody_else_is_let_in(path: str, anonymous: Client, db: None) -> None:
    assert anonymous.get(path).status_code == 404
    assert anonymous.post(path, "{}", content_type="application/json").status_code == 403


@pytest.mark.parametrize("body", [{"reports": [{}]}, {"reports": "x"}, [], {"reports": [{"id": "x", "state": "done"}]}])
def test_an_unreadable_body_is_400(body: Any, intranet: _Agent) -> None:
    assert intranet.post(COMMANDS_PATH, body).status_code == 400


def test_a_huge_body_is_413(intranet: _Agent) -> None:
    assert intranet.post(FACTS_PATH, {"facts": ["x" * 2_000_000]}).status_code == 413

"""Moving a running instance to another version: tried first, refused with every reason, done on the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command

from saas.accounts.models import RoleGrant
from saas.approvals import selectors, store
from saas.approvals.definition import schema
from saas.approvals.engine import Act
from saas.approvals.models import FlowEvent, FlowVersion, Instance, Opinion, Task
from saas.approvals.services import withdraw
from saas.approvals.services.moving import instance_move, move_try
from saas.core.access import Role
from saas.core.actors import Actor
from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound
from saas.core.tenancy import TenantRef
from tests.approvals.conftest import Enter
from tests.approvals.office import Office, install


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    return Office()


@pytest.fixture
def keeper(office: Office) -> Actor:
    office.post("keeper")
    user = office.person("keeper", account=True).user
    assert user is not None
    RoleGrant.objects.create(user=user, role=Role.FLOW_ADMIN, exclusive=False)
    return office.actor("keeper")


def published() -> UUID:
    return FlowVersion.objects.get(flow__key="test", state="published").id


def test_a_dry_run_says_what_would_be_different_and_changes_nothing(office: Office, keeper: Actor) -> None:
    instance = office.start(office.approve("zero", "z"), office.approve("one", "a"), office.approve("two", "b"))
    office.act(Act.AGREE, "z", instance)
    install("test", office.approve("new", "n"), office.approve("one", "a"), office.approve("three", "c"))
    dry = move_try(instance_id=instance, version_id=published(), by=keeper)
    assert dry.possible
    assert (dry.now, dry.then) == (1, 2)
    assert sorted(dry.notes) == sorted(
        [
            "办过的环节“环节zero”在新版里没有，意见保留。",
            "以后不再办环节“环节two”。",
            "新版在已经走过的部分增加了环节“环节new”，不补办。",
            "以后要多办环节“环节three”。",
        ]
    )
    assert Instance.objects.get(id=instance).version.number == 1


def test_a_moved_instance_goes_on_by_the_new_version_and_keeps_its_past(office: Office, keeper: Actor) -> None:
    instance = office.start(office.approve("zero", "z"), office.approve("one", "a"), office.approve("two", "b"))
    zero = office.task("z", instance)
    office.act(Act.AGREE, "z", instance, opinion="同意报送")
    install("test", {**office.approve("one", "a"), "name": "新名", "bulk": True}, office.approve("three", "c"))
    with pytest.raises(Invalid):
        instance_move(instance_id=instance, version_id=published(), by=keeper, reason=" ")
    instance_move(instance_id=instance, version_id=published(), by=keeper, reason="机构调整")
    task = Task.objects.get(instance_id=instance, state="open")
    assert (task.node, task.node_name, task.bulk) == ("one", "新名", True)
    said = Opinion.objects.get(instance_id=instance, act="change_version")
    assert (said.text, said.person_name) == ("机构调整", "人keeper")
    assert FlowEvent.objects.get(instance_id=instance, act="change_version").detail["to"] == 2
    assert AuditRecord.objects.filter(event="flow.intervened", target_id=str(instance)).count() == 1
    with pytest.raises(Conflict):  # What was agreed under the former version stays agreed.
        withdraw(task_id=zero, by=office.actor("z"), idempotency_key="w")
    acts = [entry.act for entry in selectors.timeline(instance, office.actor("a"))]
    assert acts == ["提交", "同意", "改用另一版流程", "待办"]
    office.act(Act.AGREE, "a", instance)
    assert Task.objects.get(instance_id=instance, state="open").node == "three"
    office.act(Act.AGREE, "c", instance)
    assert Instance.objects.get(id=instance).status == "finished"


def parallel(*branches: list[dict[str, Any]]) -> dict[str, Any]:
    named = [{"name": str(n), "nodes": nodes} for n, nodes in enumerate(branches)]
    return {"kind": "parallel", "key": "p", "name": "并行", "branches": named}


def test_what_does_not_fit_is_refused_with_every_reason(office: Office, keeper: Actor) -> None:
    nodes = parallel([office.approve("one", "a")], [office.approve("two", "b")])
    instance = office.start(nodes)
    install("test", office.approve("one", "a"), {**office.approve("x", "x")})
    dry = move_try(instance_id=instance, version_id=published(), by=keeper)
    assert sorted(dry.against) == [
        "现在所在的环节“环节one”在新版里换了分支。",
        "现在所在的环节“环节two”在新版里没有。",
    ]
    with pytest.raises(Conflict):
        instance_move(instance_id=instance, version_id=published(), by=keeper, reason="试")
    assert Instance.objects.get(id=instance).version.number == 1
    assert not FlowEvent.objects.filter(act="change_version").exists()


def test_only_the_keeper_of_flows_moves_and_only_within_the_flow(office: Office, keeper: Actor) -> None:
    instance = office.start(office.approve("one", "a"))
    install("test", office.approve("one", "a"), office.approve("two", "b"))
    install("other", office.approve("one", "a"))
    with pytest.raises(Forbidden):
        instance_move(instance_id=instance, version_id=published(), by=office.actor("a"), reason="x")
    foreign = FlowVersion.objects.get(flow__key="other").id
    with pytest.raises(NotFound):
        instance_move(instance_id=instance, version_id=foreign, by=keeper, reason="x")
    instance_move(instance_id=instance, version_id=published(), by=keeper, reason="x")
    office.act(Act.AGREE, "a", instance)
    office.act(Act.AGREE, "b", instance)
    with pytest.raises(Conflict):
        instance_move(instance_id=instance, version_id=published(), by=keeper, reason="x")


def test_the_page_tries_it_and_does_it(office: Office, keeper: Actor, enter: Enter) -> None:
    instance = office.start(office.approve("one", "a"))
    install("test", office.approve("one", "a"), office.approve("two", "b"))
    loaded = store.read(instance)
    assert loaded is not None
    flow_id = FlowVersion.objects.get(id=loaded.header.version_id).flow_id
    client = enter(office, "keeper")

    assert "关于测试的通知" in client.get(f"/flows/{flow_id}/older/").content.decode()
    page = client.get(f"/stuck/{instance}/version/").content.decode()
    assert "可以从第 1 版改到第 2 版" in page
    assert "以后要多办环节“环节two”" in page
    answer = client.post(f"/stuck/{instance}/version/", {"version": str(published()), "reason": "机构调整"})
    assert answer.status_code == 302
    assert Instance.objects.get(id=instance).version_id == published()
    assert "都按已发布的版本办理" in client.get(f"/flows/{flow_id}/older/").content.decode()


def test_the_published_schema_is_the_one_the_reader_uses(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("flow_schema")
    printed = capsys.readouterr().out
    assert Path(schema.__file__).with_name("flow.schema.json").read_text() == printed
    assert set(json.loads(printed)["$defs"]) == {"node", "rule", "comparison", "branch", "field", "column"}

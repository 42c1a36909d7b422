"""Pages that keep the flows: who may open them, all errors at once, nothing typed is lost, and delegations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from saas.accounts.models import RoleGrant, User
from saas.approvals.models import Delegation, Flow, FlowVersion, Instance, Task
from saas.approvals.selectors import seats_of
from saas.approvals.services import flow_install, start_flow
from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.audit.models import AuditRecord
from saas.core.tenancy import TenantRef
from saas.organisation.models import Appointment, Person, today
from saas.portal.demo import stage
from saas.portal.demo.cast import BUREAUS
from tenants.context import use_tenant
from tests.approvals.office import subject_of

PLAN = BUREAUS[1]
SignIn = Callable[..., Client]
NO_DEFINITIONS = ["{", "", '{"nodes": NaN}', '"\\u0000"', '"\\ud800"', "1e999", "[" * 100_000, "9" * 5000]


@pytest.fixture
def staged(in_alpha: TenantRef) -> TenantRef:
    """The bureau as the demonstration sets it up."""
    stage.set_up(PLAN, password="a-demo-password-2026")
    return in_alpha


@pytest.fixture
def as_user(as_user: SignIn, staged: TenantRef) -> Iterator[SignIn]:
    """Sign in; after each request the test is in its bureau again, which a request leaves at its end."""
    with ExitStack() as entered:

        def sign_in(user: User) -> Client:
            client = as_user(user)
            ask = client.request

            def request(**asked: object) -> object:
                try:
                    return ask(**asked)
                finally:
                    entered.enter_context(use_tenant(staged))

            client.request = request  # type: ignore[method-assign, assignment]
            entered.enter_context(use_tenant(staged))
            return client

        yield sign_in


def _user(username: str) -> User:
    return User.objects.get(username=username)


@pytest.fixture
def keeper(staged: TenantRef, as_user: SignIn) -> Client:
    """The flow administrator, signed in."""
    return as_user(User.objects.get(pk=RoleGrant.objects.filter(role=Role.FLOW_ADMIN).values("user_id")[:1]))


@pytest.fixture
def drafter(staged: TenantRef, as_user: SignIn) -> Client:
    """An ordinary member of staff, signed in."""
    return as_user(_user(stage.drafter(PLAN, 2).username))


def _flow(key: str = "outgoing") -> Flow:
    return Flow.objects.get(key=key)


def _tree(key: str = "outgoing") -> dict[str, list[dict[str, object]]]:
    tree: dict[str, list[dict[str, object]]] = FlowVersion.objects.get(flow__key=key, state="published").tree
    return tree


def _started() -> Instance:
    by = stage.actor(stage.drafter(PLAN, 2).username)
    return Instance.objects.get(id=start_flow(flow_key="outgoing_short", subject=subject_of(), by=by))


def _held() -> Instance:
    """A matter whose node finds nobody: its condition asks for a field it has no value of."""
    other = {"name": "其他", "nodes": []}
    when = [{"field": "kind", "is": "eq", "value": "报告"}]
    tree = _tree("outgoing_short")
    choice = {
        "kind": "condition",
        "key": "choice",
        "name": "分流",
        "branches": [{"name": "大", "when": when, "nodes": []}, other],
    }
    flow_install(key="held", name="分流", tree={"nodes": [tree["nodes"][0], choice, *tree["nodes"][1:]]}, by=SYSTEM)
    by = stage.actor(stage.drafter(PLAN, 2).username)
    return Instance.objects.get(id=start_flow(flow_key="held", subject=subject_of(), by=by))


def test_only_the_flow_administrator_opens_flows_and_stuck_matters(drafter: Client, keeper: Client) -> None:
    pages = ["/flows/", "/flows/new/", f"/flows/{_flow().id}/", "/stuck/", f"/stuck/{_started().id}/"]
    assert [drafter.get(page).status_code for page in pages] == [403] * len(pages)
    assert [keeper.get(page).status_code for page in pages] == [200] * len(pages)
    assert drafter.post(f"/flows/{_flow().id}/retire/").status_code == 403


def test_every_page_keeps_to_its_queries(keeper: Client) -> None:
    for page in ("/flows/", f"/flows/{_flow().id}/", "/stuck/", f"/stuck/{_started().id}/", "/delegations/"):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert keeper.get(page).status_code == 200
        spoken = [one["sql"] for one in asked if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        assert len(spoken) <= 12, (page, "\n".join(spoken))


def test_publishing_shows_every_error_at_once_and_keeps_what_was_typed(keeper: Client) -> None:
    flow = _flow()
    tree = _tree()
    tree["nodes"][1]["who"] = []
    tree["nodes"][2]["mode"] = "sometimes"
    tree["nodes"].append({"kind": "nonsense", "key": "x", "name": "怪"})
    text = json.dumps(tree, ensure_ascii=False, indent=1)
    answer = keeper.post(f"/flows/{flow.id}/publish/", {"definition": text, "based_on": ""})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "没有办理人。" in page
    assert "“mode”只能是" in page
    assert "不认识的节点类型“nonsense”" in page
    assert "怪" in page
    assert answer.context["shown"].text == text
    assert flow.versions.get(state="draft").tree == tree
    assert flow.versions.get(state="published").tree != tree


@pytest.mark.parametrize("text", NO_DEFINITIONS)
def test_a_text_that_is_no_definition_comes_back_as_it_was_typed(keeper: Client, text: str) -> None:
    for address in ("", "publish/"):
        answer = keeper.post(f"/flows/{_flow().id}/{address}", {"definition": text, "based_on": ""})
        assert answer.status_code == 422
        assert answer.context["shown"].text == text
    assert not _flow().versions.filter(state="draft").exists()


def test_a_draft_is_kept_changed_and_published(keeper: Client) -> None:
    flow = _flow("outgoing_short")
    page = f"/flows/{flow.id}/"
    shown = keeper.get(page).context["shown"]
    added = {
        "definition": shown.text,
        "based_on": "",
        "change": "add",
        "new_name": "办公室核稿",
        "new_kind": "approve",
        "new_rule": "in_charge",
    }
    text = keeper.post(page, added).context["shown"].text
    assert [one["name"] for one in json.loads(text)["nodes"]][-2] == "办公室核稿"
    text = keeper.post(page, {"definition": text, "based_on": "", "change": "up:n1"}).context["shown"].text
    text = keeper.post(page, {"definition": text, "based_on": "", "change": "remove:section"}).context["shown"].text
    assert [one["key"] for one in json.loads(text)["nodes"]] == ["start", "n1", "sign_off", "end"]
    assert not flow.versions.filter(state="draft").exists()
    assert keeper.post(page, {"definition": text, "based_on": ""}).status_code == 302
    based_on = keeper.get(page).context["shown"].based_on
    assert keeper.post(f"{page}publish/", {"definition": text, "based_on": based_on}).status_code == 302
    assert flow.versions.get(state="published").number == 2
    assert flow.versions.get(number=1).state == "retired"


def test_two_who_edit_one_draft_do_not_overwrite_each_other(keeper: Client) -> None:
    flow = _flow()
    text = json.dumps(_tree())
    assert keeper.post(f"/flows/{flow.id}/", {"definition": text, "based_on": ""}).status_code == 302
    late = keeper.post(f"/flows/{flow.id}/", {"definition": '{"nodes": []}', "based_on": ""})
    assert late.status_code == 409
    assert late.context["shown"].text == '{"nodes": []}'
    assert flow.versions.get(state="draft").tree == _tree()


def test_a_flow_is_begun_and_retired(keeper: Client) -> None:
    assert keeper.post("/flows/new/", {"name": "请假", "key": "大写"}).status_code == 422
    assert keeper.post("/flows/new/", {"name": "请假", "key": "outgoing"}).status_code == 409
    assert keeper.post("/flows/new/", {"name": "请假", "key": "sick_leave"}).status_code == 302
    assert keeper.post(f"/flows/{_flow().id}/retire/").status_code == 302
    assert not FlowVersion.objects.filter(flow__key="outgoing", state="published").exists()
    assert keeper.post(f"/flows/{_flow().id}/retire/").status_code == 404


def test_the_schema_is_published(drafter: Client) -> None:
    answer = drafter.get("/flows/definition.schema.json")
    kinds = {one["properties"]["kind"]["const"] for one in answer.json()["$defs"]["node"]["oneOf"]}
    assert {one["kind"] for one in _tree("incoming")["nodes"]} <= kinds


def test_a_held_matter_is_listed_with_its_reason_and_passed_with_one(keeper: Client) -> None:
    held = _held()
    assert "条件无法判断" in keeper.get("/stuck/").content.decode()
    page = f"/stuck/{held.id}/"
    refused = keeper.post(page, {"act": "pass", "node": "choice", "reason": "", "key": uuid4().hex})
    assert refused.status_code == 422
    assert "请写明干预的理由" in refused.content.decode()
    assert keeper.post(page, {"act": "pass", "reason": "字段有误"}).status_code == 422
    done = keeper.post(page, {"act": "pass", "node": "choice", "reason": "字段有误", "key": uuid4().hex})
    assert done.status_code == 302
    held.refresh_from_db()
    assert not held.held
    assert AuditRecord.objects.filter(event="flow.intervened", target_id=str(held.id)).exists()


def test_a_task_whose_post_is_empty_is_given_to_another(keeper: Client) -> None:
    instance = _started()
    task = Task.objects.get(instance=instance, state="open")
    Appointment.objects.filter(post_id=task.assignee_id).update(
        starts=today() - timedelta(days=9), ends=today() - timedelta(days=1)
    )
    assert "岗位无人任职" in keeper.get("/stuck/").content.decode()
    post = stage.actor(stage.deputy(PLAN).username).post_id
    wanted = {"act": "reassign", "task": task.id, "to": post, "reason": "岗位空缺", "key": uuid4().hex}
    assert keeper.post(f"/stuck/{instance.id}/", wanted).status_code == 302
    assert Task.objects.get(instance=instance, state="open").assignee_id == post


def test_suspended_and_resumed(keeper: Client) -> None:
    instance = _started()
    for act in ("suspend", "resume"):
        asked = {"act": act, "reason": "等待上级答复", "key": uuid4().hex}
        assert keeper.post(f"/stuck/{instance.id}/", asked).status_code == 302
    instance.refresh_from_db()
    assert instance.status == "running"


def _person(username: str) -> UUID:
    return Person.objects.get(user__username=username).id


def test_a_delegation_counts_from_acceptance_until_it_is_taken_back(drafter: Client, as_user: SignIn) -> None:
    giver, other = stage.drafter(PLAN, 2).username, stage.deputy(PLAN).username
    stand_in = as_user(_user(other))
    day = today().isoformat()
    asked = {"stand_in": _person(other), "starts": day, "ends": day, "flow": "", "reason": "出差"}
    assert drafter.post("/delegations/", asked).status_code == 302
    assert drafter.post("/delegations/", asked).status_code == 409
    one = Delegation.objects.get()
    page = f"/delegations/{one.id}/"

    def stands_in() -> bool:
        return any(seat.giver_id == _person(giver) for seat in seats_of(_person(other)).seats)

    assert not stands_in()
    assert drafter.post(page, {"answer": "accept"}).status_code == 404
    assert stand_in.post(page, {"answer": "accept"}).status_code == 302
    assert stand_in.post(page, {"answer": "accept"}).status_code == 302
    assert stands_in()
    assert stand_in.post(page, {"answer": "revoke"}).status_code == 404
    assert drafter.post(page, {"answer": "revoke"}).status_code == 302
    assert not stands_in()
    assert stand_in.post(page, {"answer": "accept"}).status_code == 409
    assert AuditRecord.objects.filter(event="delegation.changed", target_id=str(one.id)).count() == 3


def test_a_delegation_with_wrong_dates_comes_back_with_every_error(drafter: Client) -> None:
    asked = {
        "stand_in": _person(stage.deputy(PLAN).username),
        "starts": (today() - timedelta(days=1)).isoformat(),
        "ends": (today() - timedelta(days=2)).isoformat(),
        "reason": "休假",
    }
    answer = drafter.post("/delegations/", asked)
    assert answer.status_code == 422
    assert {"starts", "ends"} <= set(answer.context["form"].errors)
    assert "休假" in answer.content.decode()

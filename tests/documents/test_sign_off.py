"""签发 cannot be gone around: by no other flow, no way without it, no skip, no jump, no administrator."""

from __future__ import annotations

from typing import Any

import pytest

from saas.accounts.actors import resolve
from saas.accounts.models import User
from saas.accounts.services import role_grant
from saas.approvals.definition import DefinitionInvalid
from saas.approvals.models import Instance, Task
from saas.approvals.services import Act, act, flow_install, flow_move, node_pass, start_flow, terminate
from saas.core.access import Role
from saas.core.actors import SYSTEM, Actor
from saas.core.errors import Conflict
from saas.documents import services
from saas.documents.kinds import SUBJECT, State
from saas.documents.models import Document
from saas.documents.services.issuing import subject_of
from tests.documents.conftest import Office, draft_input
from tests.documents.test_pages import FORM

Node = dict[str, Any]


def approve(office: Office, key: str, **more: Any) -> Node:
    who = [{"rule": "post", "id": str(office.leader.post_id)}]
    return {"kind": "approve", "key": key, "name": key, "who": who, **more}


def tree(*nodes: Node) -> Node:
    start = {"kind": "start", "key": "start", "name": "拟稿"}
    return {"nodes": [start, *nodes, {"kind": "end", "key": "end", "name": "结束"}]}


def branches(kind: str, *lines: list[Node]) -> Node:
    named = [{"name": str(number), "nodes": nodes} for number, nodes in enumerate(lines)]
    if kind == "condition":
        named[0]["when"] = "urgency == 3"
    return {"kind": kind, "key": "fork", "name": "fork", "branches": named}


def agree(office: Office, document: Document) -> None:
    task = Task.objects.get(instance__subject_id=document.id, state="open")
    act(task_id=task.id, act=Act.AGREE, by=office.leader, opinion="同意。", idempotency_key=f"t{task.id}")


def test_the_drafter_cannot_post_a_flow_that_does_not_sign_off(office: Office, as_user: Any) -> None:
    flow_install(key="handling", name="承办", tree=tree(approve(office, "handle")), by=SYSTEM)
    desk = as_user(office.users["drafter"])
    made = desk.post("/documents/new/", FORM)
    page = desk.get(made["location"]).content.decode()
    assert 'value="outgoing"' in page
    assert 'value="incoming"' not in page
    assert 'value="handling"' not in page
    for key in ("incoming", "handling", "none", ""):
        version = str(Document.objects.get().content_version)
        answer = desk.post(made["location"], FORM | {"version": version, "then": "submit", "flow": key})
        assert answer.status_code == 422
        assert "发文流程" in answer.content.decode()
    assert Document.objects.get().state == State.DRAFTING
    assert not Instance.objects.exists()


@pytest.mark.parametrize(
    "settings",
    [{"repeat": "skip_any"}, {"drafter_alone": "skip"}, {"on_refused": "continue"}, {"overdue": "pass"}],
    ids=str,
)
def test_a_signing_node_that_passes_without_the_signer_is_not_published(office: Office, settings: Node) -> None:
    limit = {"limit": {"days": 1}} if "overdue" in settings else {}
    flow = tree(approve(office, "sign", marks=["sign_off"], **settings, **limit))
    with pytest.raises(DefinitionInvalid) as refused:
        flow_install(key="other", name="另一个", tree=flow, by=SYSTEM)
    assert [problem.node for problem in refused.value.problems] == ["sign"]


def test_a_flow_with_a_way_around_signing_is_not_published(office: Office) -> None:
    signing = approve(office, "sign", marks=["sign_off"])
    around = tree(branches("condition", [signing], [approve(office, "look")]))
    with pytest.raises(DefinitionInvalid, match="不经过签发"):
        flow_install(key="around", name="绕行", tree=around, by=SYSTEM)
    marked_readers = {"kind": "circulate", "key": "told", "name": "传阅", "who": signing["who"], "marks": ["sign_off"]}
    with pytest.raises(DefinitionInvalid, match="审批环节"):
        flow_install(key="told", name="传阅", tree=tree(signing, marked_readers), by=SYSTEM)


def test_signing_on_every_branch_or_beside_another_is_published(office: Office) -> None:
    signing, other = (approve(office, key, marks=["sign_off"]) for key in ("sign", "other"))
    both = tree(branches("condition", [signing], [other]))
    flow_install(key="both", name="都签发", tree=both, by=SYSTEM)
    beside = tree(branches("parallel", [signing], [approve(office, "look")]))
    flow_install(key="beside", name="并行", tree=beside, by=SYSTEM)
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    services.document_submit(document_id=document.id, flow_key="both", by=office.drafter)
    agree(office, document)
    document.refresh_from_db()
    assert (document.state, document.signed_by) == (State.SIGNED_OFF, "李建国")


@pytest.fixture
def keeper(office: Office) -> Actor:
    """The clerk, who keeps the flows too."""
    role_grant(user_id=office.users["clerk"].id, role=Role.FLOW_ADMIN, by=SYSTEM)
    return resolve(User.objects.get(id=office.users["clerk"].id), None)


def test_the_flows_administrator_cannot_sign_in_the_signers_place(office: Office, keeper: Actor) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    instance = services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    with pytest.raises(Conflict, match="本人"):
        node_pass(instance_id=instance, node="sign", by=keeper, reason="领导出差。")
    document.refresh_from_db()
    assert (document.state, document.signed_by) == (State.IN_APPROVAL, "")


def test_a_flow_that_was_moved_past_signing_holds_at_its_end(office: Office, keeper: Actor) -> None:
    steps = tree(approve(office, "sign", marks=["sign_off"]), approve(office, "look"))
    flow_install(key="steps", name="两步", tree=steps, by=SYSTEM)
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    instance = services.document_submit(document_id=document.id, flow_key="steps", by=office.drafter)
    flow_move(instance_id=instance, node="look", by=keeper, reason="领导出差。")
    with pytest.raises(Conflict, match="没有签发"):
        agree(office, document)
    flow_move(instance_id=instance, node="sign", by=keeper, reason="回到签发。")
    agree(office, document)
    document.refresh_from_db()
    assert document.signed_by == "李建国"


def test_a_document_under_way_from_before_the_rule_is_not_signed_off_by_the_last_reader(office: Office) -> None:
    flow_install(key="handling", name="承办", tree=tree(approve(office, "handle")), by=SYSTEM)
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    start_flow(flow_key="handling", subject=subject_of(document, SUBJECT), by=office.drafter)
    Document.objects.filter(id=document.id).update(state=State.IN_APPROVAL)
    with pytest.raises(Conflict, match="没有签发"):
        agree(office, document)
    document.refresh_from_db()
    assert (document.state, document.signed_by) == (State.IN_APPROVAL, "")


def test_a_flow_that_goes_on_after_the_number_can_be_ended_and_takes_nothing_back(office: Office) -> None:
    flow = tree(approve(office, "sign", marks=["sign_off"]), approve(office, "print"))
    flow_install(key="longer", name="长流程", tree=flow, by=SYSTEM)
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    services.document_submit(document_id=document.id, flow_key="longer", by=office.drafter)
    agree(office, document)
    book = services.book_create(mark="云数发", year=2026, kinds=[], first=1, by=office.clerk)
    numbered = services.document_register_number(document_id=document.id, book_id=book.id, by=office.clerk)
    assert numbered.flow_instance_id
    role_grant(user_id=office.users["clerk"].id, role=Role.FLOW_ADMIN, by=SYSTEM)
    terminate(instance_id=numbered.flow_instance_id, by=office.clerk, reason="不再需要", idempotency_key="t1")
    numbered.refresh_from_db()
    assert (numbered.state, numbered.signed_by) == (State.NUMBERED, "李建国")

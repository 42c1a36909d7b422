"""The engine on PostgreSQL: who may act, what is written, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext

from saas.approvals import registry, selectors
from saas.approvals.definition import DefinitionInvalid
from saas.approvals.engine import Act, Status
from saas.approvals.models import Delegation, DelegationState, FlowEvent, FlowVersion, Instance, Opinion, ReadItem, Task
from saas.approvals.registry import InstanceRef, NodeRef, SubjectHandler
from saas.approvals.selectors import TodoQuery, seats_of
from saas.approvals.services import Target, act, flow_install, remind, resubmit, start_flow, terminate, withdraw
from saas.approvals.services.circulating import mark_read
from saas.core.actors import SYSTEM, Actor
from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound, Throttled, YunshuError
from saas.core.tenancy import TenantRef
from saas.organisation.models import today
from tests.approvals.office import Office, install, subject_of


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    return Office()


def todo(office: Office, name: str) -> list[str]:
    seats = seats_of(office.person(name).id)
    rows = selectors.todo_list(seats, TodoQuery()).rows
    assert selectors.todo_counts(seats).total == len(rows)
    return [row.node_name for row in rows]


def test_a_flow_runs_to_its_end_with_opinions_that_carry_person_and_post(office: Office) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "b"))
    assert todo(office, "a") == ["环节one"]
    office.act(Act.AGREE, "a", instance, opinion="拟同意。")
    assert todo(office, "a") == []
    assert office.act(Act.AGREE, "b", instance).status is Status.FINISHED
    said = Opinion.objects.get(node="one")
    assert (said.person_name, said.post_name, said.text, said.act) == ("人a", "岗位a", "拟同意。", "agree")
    row = Instance.objects.get(id=instance)
    assert (row.status, row.finished_at is not None) == ("finished", True)
    events = AuditRecord.objects.filter(target_id=str(instance)).order_by("at").values_list("event", flat=True)
    assert list(events) == ["flow.started", "task.acted", "flow.finished"]


def test_the_to_do_moves_with_the_post_when_its_holder_changes(office: Office) -> None:
    instance = office.start(office.approve("one", "a"))
    former = office.actor("a")
    office.leave("a", "a")
    office.appoint("new", "a")
    assert todo(office, "a") == []
    assert todo(office, "new") == ["环节one"]
    with pytest.raises(NotFound):
        act(task_id=office.task("a", instance), act=Act.AGREE, by=former, idempotency_key="k1")
    office.act(Act.AGREE, "a", instance, by="new")
    assert Opinion.objects.get(node="one").person_name == "人new"


def test_a_person_of_several_posts_acts_in_the_post_of_the_task(office: Office) -> None:
    office.post("a")
    office.post("b")
    office.appoint("a", "b")
    instance = office.start(office.approve("one", "b"))
    office.act(Act.AGREE, "b", instance, by="a")
    assert Opinion.objects.get(node="one").post_name == "岗位b"


def test_the_same_act_sent_twice_is_one_act(office: Office) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "b"))
    task = office.task("a", instance)
    first = act(task_id=task, act=Act.AGREE, by=office.actor("a"), idempotency_key="once")
    again = act(task_id=task, act=Act.AGREE, by=office.actor("a"), idempotency_key="once")
    assert (first.repeated, again.repeated) == (False, True)
    assert Opinion.objects.filter(node="one").count() == 1
    assert FlowEvent.objects.filter(act="agree").count() == 1


def test_a_key_used_for_another_matter_is_refused(office: Office) -> None:
    first = office.start(office.approve("one", "a"))
    second = office.start(office.approve("one", "a"))
    office.act(Act.AGREE, "a", first, key="same")
    with pytest.raises(Conflict), transaction.atomic():
        office.act(Act.AGREE, "a", second, key="same")
    assert Task.objects.get(instance_id=second, node="one").state == "open"


def test_an_act_on_a_done_task_says_who_did_what_when(office: Office) -> None:
    office.post("a")
    office.appoint("other", "a")
    instance = office.start(office.approve("one", "a"), office.approve("two", "b"))
    task = office.task("a", instance)
    office.act(Act.AGREE, "a", instance)
    with pytest.raises(Conflict) as caught:
        act(task_id=task, act=Act.DISAGREE, by=office.actor("other"), idempotency_key="x", opinion="不妥")
    assert "人a（岗位a）" in str(caught.value.message)
    assert "同意" in str(caught.value.message)


@pytest.mark.parametrize(
    ("who", "error"), [("stranger", NotFound), ("drafter", Forbidden), ("reader", Forbidden), ("earlier", Forbidden)]
)
def test_only_the_holder_of_the_post_may_act(office: Office, who: str, error: type[YunshuError]) -> None:
    office.post("stranger")
    office.post("reader")
    instance = office.start(office.approve("zero", "earlier"), office.approve("one", "a"))
    office.act(Act.CIRCULATE, "earlier", instance, target=office.to("reader"))
    office.act(Act.AGREE, "earlier", instance)
    task = office.task("a", instance)
    for what in (Act.AGREE, Act.DISAGREE, Act.RETURN, Act.TRANSFER, Act.ADD_BEFORE, Act.CIRCULATE):
        with pytest.raises(error):
            act(task_id=task, act=what, by=office.actor(who), idempotency_key=uuid4().hex, opinion="x")
    with pytest.raises(error):
        act(task_id=task, act=Act.AGREE, by=Actor(user_id=None, user_name="nobody"), idempotency_key="n") if (
            who == "stranger"
        ) else withdraw(task_id=task, by=office.actor(who), idempotency_key="w")
    assert Task.objects.get(id=task).state == "open"
    assert Opinion.objects.filter(node="one").count() == 0


def test_an_act_takes_at_most_ten_statements(office: Office) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "b"), office.approve("three", "c"))
    office.act(Act.AGREE, "a", instance)
    task, actor = office.task("b", instance), office.actor("b")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        act(task_id=task, act=Act.AGREE, by=actor, idempotency_key="k")
    statements = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= 6, "\n".join(statements)


def test_returning_needs_a_reason_and_goes_back_to_the_drafter(office: Office) -> None:
    instance = office.start(office.approve("one", "a"))
    with pytest.raises(Invalid) as caught:
        office.act(Act.RETURN, "a", instance)
    assert "opinion" in caught.value.fields
    office.act(Act.RETURN, "a", instance, opinion="请补充附件")
    assert todo(office, "drafter") == ["拟稿"]
    resubmit(instance_id=instance, by=office.actor("drafter"), idempotency_key="again")
    assert todo(office, "a") == ["环节one"]


def test_what_comes_back_goes_to_the_drafter_and_to_a_colleague_only_when_they_left(office: Office) -> None:
    office.post("drafter")
    office.appoint("colleague", "drafter")
    instance = office.start(office.approve("one", "a"))
    office.act(Act.RETURN, "a", instance, opinion="请改")
    assert (todo(office, "drafter"), todo(office, "colleague")) == (["拟稿"], [])
    with pytest.raises(NotFound):
        resubmit(instance_id=instance, by=office.actor("colleague"), idempotency_key="c")
    office.leave("drafter", "drafter")
    assert todo(office, "colleague") == ["拟稿"]


def test_a_million_characters_of_opinion_are_refused_with_the_limit(office: Office) -> None:
    instance = office.start(office.approve("one", "a"))
    with pytest.raises(Invalid) as caught:
        office.act(Act.AGREE, "a", instance, opinion="字" * 1_000_000)
    assert "5000" in str(caught.value.message)


def test_withdrawing_works_until_the_next_opens_it(office: Office) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "b"))
    task = office.task("a", instance)
    office.act(Act.AGREE, "a", instance)
    withdraw(task_id=task, by=office.actor("a"), idempotency_key="w1")
    assert todo(office, "a") == ["环节one"]
    office.act(Act.AGREE, "a", instance)
    Task.objects.filter(instance_id=instance, node="two", state="open").update(seen=True)
    with pytest.raises(Conflict):
        withdraw(task_id=task, by=office.actor("a"), idempotency_key="w2")


def test_circulation_is_read_apart_from_the_flow(office: Office) -> None:
    office.post("reader")
    instance = office.start(office.approve("one", "a"))
    office.act(Act.CIRCULATE, "a", instance, target=office.to("reader"))
    office.act(Act.CIRCULATE, "a", instance, target=office.to("reader"))
    item = ReadItem.objects.get(instance_id=instance)
    terminate_by_admin = office.act(Act.DISAGREE, "a", instance, opinion="不妥")
    assert terminate_by_admin.status is Status.RUNNING
    with pytest.raises(NotFound):
        mark_read(item_ids=[item.id], by=office.actor("a"))
    assert mark_read(item_ids=[item.id], by=office.actor("reader")) == 1
    assert mark_read(item_ids=[item.id], by=office.actor("reader")) == 0


def test_more_readers_than_one_circulation_serves_are_refused_whole(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas.approvals.services.circulating.MAX_READERS", 2)
    instance = office.start(office.approve("one", "a"))
    with pytest.raises(Invalid, match="2 人"):
        office.act(Act.CIRCULATE, "a", instance, target=office.to("r1", "r2", "r3"))
    assert not ReadItem.objects.filter(instance_id=instance).exists()
    office.act(Act.CIRCULATE, "a", instance, target=office.to("r1", "r2"))
    assert ReadItem.objects.filter(instance_id=instance).count() == 2


def test_urging_is_recorded_and_throttled(office: Office) -> None:
    instance = office.start(office.approve("one", "a"))
    assert remind(instance_id=instance, by=office.actor("drafter"), idempotency_key="u1") == 1
    assert remind(instance_id=instance, by=office.actor("drafter"), idempotency_key="u1") == 1
    with pytest.raises(Throttled):
        remind(instance_id=instance, by=office.actor("drafter"), idempotency_key="u2")


def test_the_drafter_ends_a_flow_only_while_it_is_with_them(office: Office) -> None:
    instance = office.start(office.approve("one", "a"))
    with pytest.raises(Forbidden):
        terminate(instance_id=instance, by=office.actor("drafter"), reason="不办了", idempotency_key="t1")
    office.act(Act.RETURN, "a", instance, opinion="请改")
    terminate(instance_id=instance, by=office.actor("drafter"), reason="不办了", idempotency_key="t2")
    assert Instance.objects.get(id=instance).status == "terminated"
    assert todo(office, "drafter") == []


def test_a_stand_in_acts_for_the_giver_and_both_names_stay(office: Office) -> None:
    office.post("b")
    instance = office.start(office.approve("one", "a"))
    given = Delegation.objects.create(
        giver_id=office.person("a").id,
        giver_name="人a",
        stand_in_id=office.person("b").id,
        stand_in_name="人b",
        starts=today(),
        ends=today() + timedelta(days=3),
    )
    assert todo(office, "b") == []
    with pytest.raises(NotFound):
        office.act(Act.AGREE, "a", instance, by="b")
    given.state = DelegationState.ACCEPTED
    given.save()
    assert todo(office, "b") == ["环节one"]
    assert "人a［人b 可代］" in selectors.timeline(instance, office.actor("drafter"))[-1].who
    office.act(Act.AGREE, "a", instance, by="b")
    said = Opinion.objects.get(node="one")
    assert (said.person_name, said.post_name, said.on_behalf_of) == ("人b", "岗位a", "人a")


def test_a_subject_is_on_its_way_once(office: Office) -> None:
    subject = subject_of()
    office.start(office.approve("one", "a"), subject=subject)
    with pytest.raises(Conflict):
        office.start(office.approve("one", "a"), subject=subject)


def test_a_running_instance_keeps_its_version(office: Office) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "b"))
    install("test", office.approve("one", "a"))
    office.act(Act.AGREE, "a", instance)
    assert todo(office, "b") == ["环节two"]


def test_what_is_published_or_said_cannot_be_changed(office: Office) -> None:
    instance = office.start(office.approve("one", "a"))
    for change in (
        lambda: FlowVersion.objects.update(tree={}),
        lambda: FlowVersion.objects.filter(state="published").delete(),
        lambda: Opinion.objects.filter(instance_id=instance).update(text="改"),
        lambda: FlowEvent.objects.filter(instance_id=instance).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_definition_names_all_its_errors_at_once(office: Office) -> None:
    bad = office.approve("one", "a")
    bad["who"] = [{"rule": "post", "id": str(uuid4())}]
    condition = {
        "kind": "condition",
        "key": "c",
        "name": "分支",
        "branches": [
            {"name": "x", "when": [{"field": "nothing", "is": "eq", "value": 1}], "nodes": []},
            {"name": "y", "nodes": []},
        ],
    }
    automatic = {"kind": "automatic", "key": "m", "name": "自动", "action": "nowhere"}
    sub = {"kind": "subflow", "key": "s", "name": "子", "flow": "test"}
    with pytest.raises(DefinitionInvalid) as caught:
        install("test", bad, condition, automatic, sub)
    assert [problem.node for problem in caught.value.problems] == ["环节one", "分支", "自动", "子"]


def test_an_automatic_act_runs_in_a_job_and_a_refusal_holds_with_its_reason(
    office: Office, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[UUID] = []
    answers = [Conflict("没有文号簿")]

    def number(instance: InstanceRef) -> None:
        if answers:
            raise answers.pop()
        done.append(instance.id)

    monkeypatch.setattr(registry, "_actions", {"number": ("编号", number)})
    node = {"kind": "automatic", "key": "m", "name": "编号", "action": "number"}
    instance = office.start(office.approve("one", "a"), node, office.approve("two", "b"))
    office.act(Act.AGREE, "a", instance)
    run_jobs()
    assert [row.holds for row in selectors.stuck_list()] == [(("m", "failed", "没有文号簿"),)]
    from django.utils import timezone

    from saas.approvals import store
    from saas.approvals.engine.commands import Command
    from saas.approvals.services.running import run

    loaded = store.lock(instance)
    assert loaded is not None
    now = timezone.now()
    run(loaded, Command(act=Act.RETRY, now=now, node="m"), store.Record(act=Act.RETRY, by=SYSTEM, now=now, node="m"))
    run_jobs()
    assert done == [instance]
    assert todo(office, "b") == ["环节two"]


def test_a_sub_flow_runs_on_the_same_subject_and_brings_the_parent_on(office: Office) -> None:
    install("child", office.approve("inner", "c"))
    sub = {"kind": "subflow", "key": "s", "name": "子流程", "flow": "child"}
    instance = office.start(office.approve("one", "a"), sub, office.approve("two", "b"))
    office.act(Act.AGREE, "a", instance)
    assert todo(office, "c") == ["环节inner"]
    child = Instance.objects.get(parent_id=instance)
    office.act(Act.AGREE, "c", child.id)
    assert todo(office, "b") == ["环节two"]


class Recorder(SubjectHandler):
    """Writes down what it is told."""

    label = "记录"

    def __init__(self) -> None:
        self.told: list[str] = []

    def can_act(self, instance: InstanceRef, node: NodeRef, act: str, by: Actor) -> str:
        return "正文为空" if node.key == "strict" and act == "agree" else ""

    def on_entered(self, instance: InstanceRef, node: NodeRef) -> None:
        self.told.append(f"entered {node.key}")

    def on_passed(self, instance: InstanceRef, node: NodeRef, by: Actor) -> None:
        self.told.append(f"passed {node.key} by {by.user_name} {'sign_off' in node.marks}")

    def on_finished(self, instance: InstanceRef, by: Actor) -> None:
        self.told.append("finished")

    def on_returned_to_start(self, instance: InstanceRef, by: Actor) -> None:
        self.told.append("back")


def test_the_subjects_app_is_told_in_order_and_may_refuse(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(registry, "_handlers", {"test": recorder})
    instance = office.start(office.approve("one", "a", marks=["sign_off"]), office.approve("strict", "b"))
    office.act(Act.AGREE, "a", instance)
    with pytest.raises(Conflict, match="正文为空"):
        office.act(Act.AGREE, "b", instance)
    office.act(Act.RETURN, "b", instance, opinion="退")
    assert recorder.told == [
        "entered start",
        "entered one",
        "passed one by 人a True",
        "entered strict",
        "entered start",
        "back",
    ]


def test_somebody_without_a_post_cannot_start(office: Office) -> None:
    install("test", office.approve("one", "a"))
    nobody = Actor(user_id=None, user_name="管理员")
    with pytest.raises(Invalid):
        start_flow(flow_key="test", subject=subject_of(), by=nobody)
    with pytest.raises(NotFound):
        start_flow(flow_key="none", subject=subject_of(), by=office.actor("a"))


def test_installing_the_same_definition_again_changes_nothing(office: Office) -> None:
    tree: dict[str, Any] = {
        "nodes": [
            {"kind": "start", "key": "start", "name": "拟稿"},
            office.approve("one", "a"),
            {"kind": "end", "key": "end", "name": "结束"},
        ]
    }
    first = flow_install(key="same", name="一样", tree=tree, by=SYSTEM)
    assert flow_install(key="same", name="一样", tree=tree, by=SYSTEM).id == first.id
    assert Target().to == ()

"""Every mode and act of the engine, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from saas.approvals.engine import Act, Reason, Refused, Status, effects, invariants
from tests.approvals.flows import Case, World, approve, condition, flow, parallel, post, uid


def sound(case: Case) -> None:
    assert invariants.check(case.flow, case.state) == []


def refused(case: Case, act: Act, by: str, reason: Reason, **more: Any) -> None:
    before = case.state
    with pytest.raises(Refused) as caught:
        case.act(act, by, **more)
    assert caught.value.reason is reason
    assert case.state is before


def test_a_serial_flow_passes_from_post_to_post_and_finishes() -> None:
    case = Case(flow(approve("one", "a"), approve("two", "b")))
    assert case.asked == ["a"]
    case.act(Act.AGREE, "a")
    assert case.asked == ["b"]
    case.act(Act.AGREE, "b")
    assert case.state.status is Status.FINISHED
    assert case.effects == [effects.Passed("two"), effects.Finished()]
    sound(case)


@pytest.mark.parametrize(
    ("mode", "votes", "passes"),
    [
        ({"mode": "all"}, ["a+", "b+", "c+"], True),
        ({"mode": "all"}, ["b-"], False),
        ({"mode": "any"}, ["c+"], True),
        ({"mode": "any"}, ["c-"], False),
        ({"mode": "share", "share": 60}, ["a+", "c+"], True),
        ({"mode": "share", "share": 60}, ["a+", "b-", "c-"], False),
        ({"mode": "number", "number": 2}, ["b-", "a+", "c+"], True),
        ({"mode": "number", "number": 2}, ["a-", "b-"], False),
        ({"mode": "order"}, ["a+", "b+", "c+"], True),
        ({"mode": "order"}, ["a+", "b-"], False),
    ],
)
def test_each_mode_decides_by_its_own_count(mode: dict[str, Any], votes: list[str], passes: bool) -> None:
    case = Case(flow(approve("one", "a", "b", "c", **mode), approve("two", "d")))
    for vote in votes:
        assert "two" not in case.state.active
        case.act(Act.AGREE if vote[1] == "+" else Act.DISAGREE, vote[0])
        sound(case)
    assert case.asked == (["d"] if passes else ["drafter"])


def test_in_order_opens_one_after_the_other() -> None:
    case = Case(flow(approve("one", "a", "b", mode="order")))
    assert case.asked == ["a"]
    refused(case, Act.AGREE, "b", Reason.TASK_QUEUED)
    case.act(Act.AGREE, "a")
    assert case.asked == ["b"]


def test_refusal_can_end_the_flow_or_be_passed_over() -> None:
    case = Case(flow(approve("one", "a", on_refused="terminate")))
    case.act(Act.DISAGREE, "a")
    assert case.state.status is Status.TERMINATED
    case = Case(flow(approve("one", "a", on_refused="continue"), approve("two", "b")))
    case.act(Act.DISAGREE, "a")
    assert case.asked == ["b"]


def test_returning_to_a_countersigned_node_asks_all_its_signers_again() -> None:
    case = Case(flow(approve("one", "a", "b", mode="all"), approve("two", "c")))
    case.act(Act.AGREE, "a")
    case.act(Act.AGREE, "b")
    case.act(Act.RETURN, "c", node="one")
    sound(case)
    assert case.asked == ["a", "b"]


def test_a_return_out_of_a_parallel_takes_every_branch_back_and_one_inside_leaves_the_others() -> None:
    case = Case(
        flow(approve("zero", "z"), parallel("p", [approve("one", "a"), approve("two", "b")], [approve("x", "c")]))
    )
    case.act(Act.AGREE, "z")
    case.act(Act.AGREE, "a")
    case.act(Act.RETURN, "b", node="one")
    assert case.asked == ["a", "c"]
    case.act(Act.RETURN, "c", node="zero")
    assert case.asked == ["z"]
    sound(case)
    case.act(Act.AGREE, "z")
    assert case.asked == ["a", "c"]


def test_a_straight_return_comes_back_to_where_it_was() -> None:
    case = Case(flow(approve("one", "a"), approve("two", "b"), approve("three", "c")))
    case.act(Act.AGREE, "a")
    case.act(Act.AGREE, "b")
    case.act(Act.RETURN, "c", node="start", straight=True)
    assert case.effects[-1] == effects.ReturnedToStart()
    case.act(Act.AGREE, "drafter")
    assert case.asked == ["c"]
    sound(case)


def test_only_a_node_passed_on_the_way_can_be_returned_to() -> None:
    case = Case(flow(parallel("p", [approve("one", "a")], [approve("x", "c"), approve("y", "d")]), approve("two", "b")))
    case.act(Act.AGREE, "a")
    case.act(Act.AGREE, "c")
    refused(case, Act.RETURN, "d", Reason.NOT_PASSED, node="one")
    refused(case, Act.RETURN, "d", Reason.NOT_PASSED, node="two")


def test_parallel_branches_join_when_the_last_ends() -> None:
    case = Case(flow(parallel("p", [approve("one", "a")], [approve("x", "c")], []), approve("two", "b")))
    case.act(Act.AGREE, "c")
    assert case.asked == ["a"]
    case.act(Act.AGREE, "a")
    assert case.asked == ["b"]


def test_a_condition_takes_the_first_branch_that_holds_and_holds_when_it_cannot_tell() -> None:
    definition = flow(condition("c", "urgency", 3, [approve("fast", "a")], [approve("slow", "b")]))
    assert Case(definition, urgency=3).asked == ["a"]
    assert Case(definition, urgency=0).asked == ["b"]
    stuck = Case(definition)
    sound(stuck)
    assert stuck.state.active["c"].hold is not None
    stuck.run(Act.PASS, by="admin", node="c")
    assert stuck.state.status is Status.FINISHED


def test_withdrawing_reopens_ones_own_task_until_the_next_has_opened_it() -> None:
    case = Case(flow(approve("one", "a"), approve("two", "b")))
    case.act(Act.AGREE, "a")
    case.run(Act.WITHDRAW, by="a", task=case.last("a"))
    sound(case)
    assert case.asked == ["a"]
    case.act(Act.AGREE, "a")
    opened = case.task("b")
    case.state = case.state.with_tasks([replace(opened, seen=True)])
    with pytest.raises(Refused) as caught:
        case.run(Act.WITHDRAW, by="a", task=case.last("a"))
    assert caught.value.reason is Reason.NEXT_HAS_OPENED


def test_the_drafter_withdraws_the_whole_submission() -> None:
    case = Case(flow(approve("one", "a", "b", mode="all")))
    start = next(t for t in case.state.tasks if t.kind == "start")
    case.run(Act.WITHDRAW, by="drafter", task=start)
    assert case.asked == ["drafter"]
    assert case.effects == [effects.ReturnedToStart()]
    sound(case)


def test_somebody_elses_deciding_vote_keeps_an_earlier_one_from_being_withdrawn() -> None:
    one = approve("one", "a", "b", "c", mode="number", number=2)
    case = Case(flow(parallel("p", [one, approve("two", "d")], [approve("x", "e")])))
    case.act(Act.AGREE, "a")
    case.act(Act.AGREE, "b")
    with pytest.raises(Refused) as caught:
        case.run(Act.WITHDRAW, by="a", task=case.last("a"))
    assert caught.value.reason is Reason.IRREVOCABLE
    case.run(Act.WITHDRAW, by="b", task=case.last("b"))
    assert case.asked == ["b", "c", "e"]
    sound(case)


def test_transfer_gives_the_task_away_and_refuses_somebody_who_signs_already() -> None:
    case = Case(flow(approve("one", "a", "b", mode="all")))
    refused(case, Act.TRANSFER, "a", Reason.ALREADY_ASKED, to=(post("b"),))
    case.act(Act.TRANSFER, "a", to=(post("c"),))
    assert case.asked == ["b", "c"]
    case.act(Act.AGREE, "c")
    case.act(Act.AGREE, "b")
    assert case.state.status is Status.FINISHED


@pytest.mark.parametrize("act", [Act.ADD_BEFORE, Act.DELEGATE])
def test_those_asked_before_give_their_opinion_and_the_task_comes_back(act: Act) -> None:
    case = Case(flow(approve("one", "a")))
    case.act(act, "a", to=(post("b"),))
    assert case.asked == ["b"]
    sound(case)
    refused(case, Act.AGREE, "a", Reason.TASK_WAITING)
    case.act(Act.DISAGREE, "b")
    assert case.asked == ["a"]
    case.act(Act.AGREE, "a")
    assert case.state.status is Status.FINISHED


def test_those_added_after_decide_with_the_signer() -> None:
    case = Case(flow(approve("one", "a")))
    case.act(Act.ADD_AFTER, "a", to=(post("b"), post("c")))
    assert case.asked == ["b", "c"]
    case.act(Act.AGREE, "b")
    case.act(Act.DISAGREE, "c")
    assert case.asked == ["drafter"]
    sound(case)


def test_those_added_beside_count_as_signers_and_can_be_removed_by_who_added_them() -> None:
    case = Case(flow(approve("one", "a", mode="all")))
    case.act(Act.ADD_BESIDE, "a", to=(post("b"),))
    case.act(Act.AGREE, "a")
    assert case.asked == ["b"]
    case.run(Act.REMOVE, by="a", task=case.task("b"))
    assert case.state.status is Status.FINISHED


def test_removing_the_only_one_asked_before_gives_the_task_back() -> None:
    case = Case(flow(approve("one", "a")))
    case.act(Act.ADD_BEFORE, "a", to=(post("b"),))
    case.run(Act.REMOVE, by="a", task=case.task("b"))
    assert case.asked == ["a"]
    sound(case)


def test_a_task_made_by_the_flow_cannot_be_removed() -> None:
    case = Case(flow(approve("one", "a")))
    with pytest.raises(Refused) as caught:
        case.run(Act.REMOVE, by="a", task=case.task("a"))
    assert caught.value.reason is Reason.NOT_ADDED


def test_circulation_never_changes_the_flow_but_shows_that_the_task_was_opened() -> None:
    case = Case(flow(approve("one", "a")))
    before = case.task("a")
    case.act(Act.CIRCULATE, "a", to=(post("b"), post("c")))
    assert case.task("a") == replace(before, seen=True)
    assert case.effects == [effects.Circulated("one", (post("b"), post("c")))]


def test_a_vacant_post_has_a_task_and_a_named_reason_until_somebody_holds_it() -> None:
    world = World({"a": []})
    case = Case(flow(approve("one", "a"), approve("two", "b")), world)
    assert case.state.active["one"].hold is not None
    assert case.asked == ["a"]
    world.held[uid("a")] = frozenset({uid("person new")})
    case.run(Act.RETRY, by="admin", node="one")
    assert case.state.active["one"].hold is None
    sound(case)


def test_a_vacant_post_with_a_substitute_asks_the_substitute() -> None:
    case = Case(flow(approve("one", "a", vacant="substitute", substitute=str(uid("b")))), World({"a": []}))
    assert case.asked == ["b"]


@pytest.mark.parametrize(("rule", "asked"), [("ask", ["a"]), ("skip", ["b"]), ("leader", ["leader"])])
def test_the_drafter_approving_alone_follows_the_nodes_rule(rule: str, asked: list[str]) -> None:
    case = Case(flow(approve("one", "a", drafter_alone=rule), approve("two", "b")), World({"a": ["drafter"]}))
    assert case.asked == asked
    sound(case)


@pytest.mark.parametrize(("rule", "asked"), [("ask", ["c"]), ("skip_consecutive", ["c"]), ("skip_any", ["d"])])
def test_the_same_person_twice_follows_the_nodes_rule(rule: str, asked: list[str]) -> None:
    world = World({"a": ["a"], "c": ["a"]})
    case = Case(
        flow(approve("one", "a"), approve("two", "b"), approve("three", "c", repeat=rule), approve("four", "d")), world
    )
    case.act(Act.AGREE, "a")
    case.act(Act.AGREE, "b")
    assert case.asked == asked


def test_the_same_person_in_a_row_is_skipped_when_the_node_says_so() -> None:
    world = World({"a": ["a"], "c": ["a"]})
    case = Case(flow(approve("one", "a"), approve("two", "c", repeat="skip_consecutive"), approve("four", "d")), world)
    case.act(Act.AGREE, "a")
    assert case.asked == ["d"]
    case.run(Act.WITHDRAW, by="a", task=case.last("a"))
    assert case.asked == ["a"]
    sound(case)


def test_a_suspended_flow_refuses_acts_and_its_limits_wait() -> None:
    case = Case(flow(approve("one", "a", limit={"days": 1})))
    due = case.task("a").due_at
    case.run(Act.SUSPEND, by="admin")
    refused(case, Act.AGREE, "a", Reason.SUSPENDED)
    case.run(Act.RESUME, by="admin")
    moved = case.task("a").due_at
    assert due is not None
    assert moved is not None
    assert moved > due
    case.act(Act.AGREE, "a")


def test_an_entry_arms_the_limit_anew() -> None:
    case = Case(flow(approve("one", "a", limit={"days": 1}), approve("two", "b")))
    first = case.task("a").due_at
    case.act(Act.AGREE, "a")
    case.act(Act.RETURN, "b", node="one")
    second = case.task("a").due_at
    assert first is not None
    assert second is not None
    assert second > first


def test_choosing_the_next_signers_belongs_to_the_act_before() -> None:
    chosen = {"kind": "approve", "key": "two", "name": "two", "mode": "all", "who": [{"rule": "chosen", "node": "one"}]}
    case = Case(flow(approve("one", "a"), chosen))
    refused(case, Act.AGREE, "a", Reason.NOT_CHOSEN)
    case.act(Act.AGREE, "a", chosen={"two": (post("b"), post("c"))})
    assert case.asked == ["b", "c"]


def test_an_automatic_act_and_a_sub_flow_wait_with_their_name() -> None:
    auto = {"kind": "automatic", "key": "auto", "name": "auto", "action": "x"}
    sub = {"kind": "subflow", "key": "sub", "name": "sub", "flow": "other"}
    case = Case(flow(approve("one", "a"), auto, sub))
    case.act(Act.AGREE, "a")
    sound(case)
    case.run(Act.AUTOMATIC_FAILED, by="system", node="auto", detail="no number book")
    sound(case)
    case.run(Act.RETRY, by="admin", node="auto")
    case.run(Act.AUTOMATIC_DONE, by="system", node="auto")
    assert case.effects[-1] == effects.SubFlowDue("sub", "other")
    case.run(Act.SUB_FLOW_ENDED, by="system", node="sub")
    assert case.state.status is Status.FINISHED


def test_an_ended_flow_takes_no_act() -> None:
    case = Case(flow(approve("one", "a")))
    task = case.task("a")
    case.act(Act.AGREE, "a")
    for act in (Act.AGREE, Act.RETURN, Act.TERMINATE, Act.URGE, Act.SUSPEND):
        with pytest.raises(Refused):
            case.run(act, by="a", task=task)


def test_a_flow_of_five_hundred_skipped_nodes_is_walked_without_deep_recursion() -> None:
    nodes = [approve(f"n{n}", "a", drafter_alone="skip") for n in range(498)]
    case = Case(flow(*nodes), World({"a": ["drafter"]}))
    assert case.state.status is Status.FINISHED

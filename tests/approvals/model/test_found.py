"""What the rules found in the engine, each as small as it can be said, so that it stays mended."""

from __future__ import annotations

from typing import Any

import pytest

from saas.approvals.engine import Act, Reason, Refused, Status, invariants
from saas.approvals.engine.possible import possibilities
from tests.approvals.flows import Case, World, approve, condition, flow, parallel, post, uid


def refused(case: Case, act: Act, by: str, reason: Reason, **more: Any) -> None:
    with pytest.raises(Refused) as caught:
        case.run(act, by=by, **more)
    assert caught.value.reason is reason


def hold(case: Case, people: dict[str, str]) -> None:
    case.world.held.update({uid(name): frozenset({uid(f"person {person}")}) for name, person in people.items()})


def test_two_branches_come_back_to_straight_and_passed_at_once_are_joined_once() -> None:
    branches = [[approve("one", "a", drafter_alone="skip")], [approve("two", "b", drafter_alone="skip")]]
    case = Case(flow(approve("zero", "z"), parallel("p", *branches), approve("after", "c")))
    case.act(Act.AGREE, "z")
    case.act(Act.RETURN, "a", node="zero", straight=True)
    hold(case, {"a": "drafter", "b": "drafter"})
    case.act(Act.AGREE, "z")
    assert case.asked == ["c"]
    assert case.state.rounds["after"] == 1


def test_a_straight_way_keeps_the_straight_ways_beyond_it() -> None:
    case = Case(flow(*(approve(f"n{name}", name) for name in "abcde")))
    for name in "abcd":
        case.act(Act.AGREE, name)
    case.act(Act.RETURN, "e", node="nc", straight=True)
    case.act(Act.RETURN, "c", node="nb", straight=True)
    case.act(Act.RETURN, "b", node="na", straight=True)
    for name in "abc":
        assert case.asked == [name]
        case.act(Act.AGREE, name)
    assert case.asked == ["e"]


def test_moving_gives_up_the_straight_ways_of_what_is_given_up() -> None:
    case = Case(flow(*(approve(f"n{name}", name) for name in "abcd")))
    for name in "abc":
        case.act(Act.AGREE, name)
    case.act(Act.RETURN, "d", node="nb", straight=True)
    case.act(Act.RETURN, "b", node="na", straight=True)
    case.run(Act.JUMP, by="admin", node="nb")
    case.act(Act.AGREE, "b")
    assert case.asked == ["c"]


def test_a_straight_return_to_a_node_that_is_skipped_at_once_comes_straight_back() -> None:
    case = Case(flow(approve("one", "a", drafter_alone="skip"), approve("two", "b"), approve("three", "c")))
    case.act(Act.AGREE, "a")
    case.act(Act.AGREE, "b")
    hold(case, {"a": "drafter"})
    case.act(Act.RETURN, "c", node="one", straight=True)
    assert case.asked == ["c"]
    assert not case.state.straight


def test_moving_within_a_branch_leaves_the_other_branches_where_they_are() -> None:
    case = Case(flow(parallel("p", [approve("one", "a")], [approve("x", "c")]), approve("two", "b")))
    case.act(Act.AGREE, "a")
    case.run(Act.JUMP, by="admin", node="one")
    assert case.asked == ["a", "c"]
    case.act(Act.AGREE, "a")
    assert case.asked == ["c"]


def test_nobody_is_moved_into_a_parallel_whose_other_branches_were_taken_back() -> None:
    case = Case(
        flow(approve("zero", "z"), parallel("p", [approve("one", "a")], [approve("x", "c")]), approve("two", "b"))
    )
    case.act(Act.AGREE, "z")
    case.act(Act.RETURN, "a", node="zero")
    refused(case, Act.JUMP, "admin", Reason.NOT_PASSED, node="one")


def test_moving_to_the_other_branch_of_a_condition_leaves_the_first() -> None:
    case = Case(flow(condition("c", "amount", 1, [approve("yes", "a")], [approve("no", "b")])), amount=1)
    case.act(Act.RETURN, "a", node="start")
    case.state.values["amount"] = 0  # type: ignore[index]
    case.act(Act.AGREE, "drafter")
    assert case.asked == ["b"]
    case.run(Act.JUMP, by="admin", node="yes")
    assert case.asked == ["a"]


def test_a_node_is_passed_only_on_the_way_walked_last() -> None:
    fork = condition("c", "amount", 1, [approve("yes", "a")], [approve("no", "b")])
    case = Case(flow(fork, approve("two", "c")), amount=1)
    case.act(Act.AGREE, "a")
    case.act(Act.RETURN, "c", node="start")
    case.state.values["amount"] = 0  # type: ignore[index]
    case.act(Act.AGREE, "drafter")
    case.act(Act.AGREE, "b")
    refused(case, Act.RETURN, "c", Reason.NOT_PASSED, task=case.task("c"), node="yes")


def test_a_signature_that_was_taken_back_does_not_skip_its_signer() -> None:
    case = Case(flow(approve("one", "a", repeat="skip_any"), approve("two", "b")), World({"a": ["a"]}))
    case.act(Act.AGREE, "a")
    case.act(Act.RETURN, "b", node="one")
    assert case.asked == ["a"]


@pytest.mark.parametrize("act", [Act.DISAGREE, Act.RETURN])
def test_only_a_signature_skips_the_next_in_a_row(act: Act) -> None:
    first = approve("one", "a", repeat="skip_consecutive", on_refused="continue")
    case = Case(
        flow(first, approve("two", "b", repeat="skip_consecutive", on_refused="continue")),
        World({"a": ["a"], "b": ["a"]}),
    )
    case.run(act, by="a", task=case.task("a"), **({"node": "start"} if act is Act.RETURN else {}))
    assert case.asked == (["drafter"] if act is Act.RETURN else ["b"])
    if act is Act.DISAGREE:
        case.run(Act.RETURN, by="a", task=case.task("b"), node="one")
        assert case.asked == ["a"]


@pytest.mark.parametrize("act", [Act.TRANSFER, Act.ADD_BESIDE, Act.ADD_AFTER])
def test_nobodys_vote_counts_twice(act: Act) -> None:
    case = Case(flow(approve("one", "a", "b", "c", mode="number", number=2)))
    case.act(Act.AGREE, "a")
    refused(case, act, "b", Reason.ALREADY_ASKED, task=case.task("b"), to=(post("a"),))
    case.act(Act.ADD_BEFORE, "b", to=(post("a"),))
    case.act(Act.AGREE, "a")
    assert case.asked == ["b", "c"]


def test_a_post_named_by_itself_and_as_the_drafters_is_asked_once() -> None:
    node = approve("one", "drafter", mode="all")
    node["who"].insert(0, {"rule": "drafter"})
    case = Case(flow(node, approve("two", "b")))
    assert case.asked == ["drafter"]
    assert case.task("drafter").assignee.person == uid("person drafter")


def test_a_substitute_who_signs_anyway_keeps_their_place_in_the_order() -> None:
    node = approve("one", "e", "b", "a", mode="order", vacant="substitute", substitute=str(uid("e")))
    case = Case(flow(node), World({"a": []}))
    assert case.asked == ["e"]
    case.act(Act.AGREE, "e")
    assert case.asked == ["b"]


def test_an_agreement_before_a_node_that_was_tried_again_stays() -> None:
    nobody = {"kind": "approve", "key": "two", "name": "two", "who": [{"rule": "chosen", "node": "start"}]}
    case = Case(flow(parallel("p", [approve("one", "a"), nobody], [approve("x", "c")])))
    case.act(Act.AGREE, "a")
    case.run(Act.RETRY, by="admin", node="two")
    refused(case, Act.WITHDRAW, "a", Reason.IRREVOCABLE, task=case.last("a"))


def test_an_agreement_before_a_join_that_others_completed_stays() -> None:
    inner = parallel("q", [approve("one", "a")], [approve("y", "b")])
    case = Case(flow(parallel("p", [inner, approve("after", "d")], [approve("x", "c")])))
    case.act(Act.AGREE, "a")
    case.act(Act.AGREE, "b")
    case.act(Act.AGREE, "d")
    refused(case, Act.WITHDRAW, "a", Reason.IRREVOCABLE, task=case.last("a"))
    assert case.asked == ["c"]


def test_an_agreement_because_of_which_another_branch_skipped_somebody_stays() -> None:
    world = World({"a": ["a"], "d": ["a"]})
    branches = [[approve("one", "a"), approve("more", "b")], [approve("x", "c"), approve("y", "d", repeat="skip_any")]]
    case = Case(flow(parallel("p", *branches)), world)
    case.act(Act.AGREE, "a")
    case.act(Act.AGREE, "c")
    refused(case, Act.WITHDRAW, "a", Reason.IRREVOCABLE, task=case.last("a"))


def test_advice_upon_which_somebody_else_was_asked_stays() -> None:
    case = Case(flow(approve("one", "a")))
    case.act(Act.ADD_BEFORE, "a", to=(post("b"),))
    case.act(Act.AGREE, "b")
    case.act(Act.ADD_BEFORE, "a", to=(post("c"),))
    refused(case, Act.WITHDRAW, "b", Reason.NEXT_HAS_OPENED, task=case.last("b"))


def test_advice_upon_which_the_task_was_given_on_stays() -> None:
    case = Case(flow(approve("one", "a")))
    case.act(Act.ADD_BEFORE, "a", to=(post("b"),))
    case.act(Act.AGREE, "b")
    case.act(Act.TRANSFER, "a", to=(post("c"),))
    refused(case, Act.WITHDRAW, "b", Reason.NEXT_HAS_OPENED, task=case.last("b"))


def test_an_agreement_of_somebody_asked_again_since_stays() -> None:
    case = Case(flow(approve("one", "a", "b", mode="all")))
    case.act(Act.AGREE, "a")
    case.act(Act.DELEGATE, "b", to=(post("a"),))
    refused(case, Act.WITHDRAW, "a", Reason.IRREVOCABLE, task=case.last("a"))


def test_those_named_for_a_node_in_order_are_asked_in_order() -> None:
    nobody = {**approve("one", mode="order"), "who": [{"rule": "chosen", "node": "start"}]}
    case = Case(flow(approve("two", "z"), nobody))
    case.act(Act.AGREE, "z")
    case.run(Act.REASSIGN, by="admin", node="one", to=(post("a"), post("b")))
    assert case.asked == ["a"]
    assert invariants.check(case.flow, case.state) == []


def test_a_sub_flow_that_failed_is_entered_again() -> None:
    case = Case(flow(approve("one", "a"), {"kind": "subflow", "key": "s", "name": "s", "flow": "other"}))
    case.act(Act.AGREE, "a")
    case.run(Act.AUTOMATIC_FAILED, by="system", node="s", detail="no version")
    case.run(Act.RETRY, by="admin", node="s")
    assert invariants.check(case.flow, case.state) == []
    case.run(Act.SUB_FLOW_ENDED, by="system", node="s")
    assert case.state.status is Status.FINISHED


def test_only_automatic_nodes_and_sub_flows_can_fail() -> None:
    case = Case(flow(approve("one", "a")))
    refused(case, Act.AUTOMATIC_FAILED, "system", Reason.NOT_ACTIVE, node="one", detail="no")


def test_a_task_given_on_to_readers_counts_as_opened() -> None:
    case = Case(flow(approve("one", "a")))
    case.act(Act.CIRCULATE, "a", to=(post("b"),))
    start = next(task for task in case.state.tasks if task.kind == "start")
    refused(case, Act.WITHDRAW, "drafter", Reason.NEXT_HAS_OPENED, task=start)


def test_adding_below_the_fifth_is_not_offered() -> None:
    case = Case(flow(approve("one", "a")))
    for giver, taker in zip("abcde", "bcdef", strict=True):
        case.act(Act.ADD_BEFORE, giver, to=(post(taker),))
    offered = {one.act for one in possibilities(case.flow, case.state, case.task("f")) if one.possible}
    assert offered == {Act.AGREE, Act.DISAGREE, Act.TRANSFER, Act.CIRCULATE}
    refused(case, Act.DELEGATE, "f", Reason.TOO_DEEP, task=case.task("f"), to=(post("g"),))


def test_a_vacancy_is_named_when_the_last_holder_leaves_and_taken_back_when_one_comes() -> None:
    case = Case(flow(approve("one", "a")))
    refused(case, Act.HOLDERS_CHANGED, "system", Reason.NOTHING_CHANGED)
    case.world.held[uid("a")] = frozenset()
    case.run(Act.HOLDERS_CHANGED, by="system")
    assert case.state.active["one"].hold is not None
    hold(case, {"a": "new"})
    case.run(Act.HOLDERS_CHANGED, by="system")
    assert case.state.active["one"].hold is None

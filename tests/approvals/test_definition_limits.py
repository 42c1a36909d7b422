"""What cannot run is refused with its limit: too many nodes, too deep, flows that call one another in a circle."""

from __future__ import annotations

from typing import Any

import pytest

from saas.approvals import selectors
from saas.approvals.definition import DefinitionInvalid, parse
from saas.approvals.definition.model import MAX_DEPTH, MAX_NODES
from saas.core.tenancy import TenantRef
from tests.approvals.flows import approve, flow_json, parallel
from tests.approvals.office import Office, install


def problems(tree: Any) -> list[str]:
    with pytest.raises(DefinitionInvalid) as caught:
        parse(tree)
    return [str(problem) for problem in caught.value.problems]


def test_five_hundred_nodes_run_and_one_more_is_refused_with_the_limit() -> None:
    most = [approve(f"n{number}", "a") for number in range(MAX_NODES - 2)]
    assert len(parse(flow_json(*most)).places) == MAX_NODES == 500
    assert "流程：节点超过 500 个。" in problems(flow_json(*most, approve("one", "a")))


def test_branches_in_branches_are_refused_with_the_limit() -> None:
    inner = [approve("in", "a")]
    for depth in range(MAX_DEPTH + 1):
        inner = [parallel(f"p{depth}", inner, [approve(f"x{depth}", "b")])]
    assert any(f"分支嵌套超过 {MAX_DEPTH} 层" in problem for problem in problems(flow_json(*inner)))


def sub(flow: str) -> dict[str, Any]:
    return {"kind": "subflow", "key": "s", "name": "子流程", "flow": flow}


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    return Office()


def test_flows_that_call_one_another_in_a_circle_are_refused(office: Office) -> None:
    install("a", office.approve("one", "x"))
    install("b", office.approve("one", "x"), sub("a"))
    install("c", office.approve("one", "x"), sub("b"))
    with pytest.raises(DefinitionInvalid) as caught:
        install("a", office.approve("one", "x"), sub("c"))
    assert [str(problem) for problem in caught.value.problems] == ["子流程：子流程“c”会绕回本流程，永远走不完。"]


def test_a_chain_of_sub_flows_stops_at_its_limit_with_a_named_reason(office: Office) -> None:
    install("f0", office.approve("one", "x"))
    for number in range(1, 7):
        install(f"f{number}", sub(f"f{number - 1}"), office.approve("one", "x"))
    office.start(sub("f6"), office.approve("one", "x"))
    reasons = {detail for row in selectors.stuck_list() for _node, _reason, detail in row.holds}
    assert "子流程嵌套超过 5 层。" in reasons

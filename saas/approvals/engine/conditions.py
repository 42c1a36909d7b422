"""Chooses a condition's branch: the first whose expression holds for the instance's values."""

from __future__ import annotations

from saas.approvals.definition import Branch, Condition, Flow
from saas.approvals.engine.state import State
from saas.approvals.forms.expressions import ExpressionFailed, holds
from saas.approvals.forms.values import for_expressions


class ConditionFailed(Exception):
    """A condition cannot be answered for this instance; the message names branch and reason."""


def first_branch(flow: Flow, node: Condition, state: State) -> Branch:
    """The first branch whose expression holds; one without an expression always does.

    Raises:
        ConditionFailed: a field is empty or of another type than the expression needs, or no branch holds.
    """
    data = for_expressions(flow.form, state.values)
    for branch in node.branches:
        try:
            if not branch.when or holds(branch.when, data):
                return branch
        except ExpressionFailed as error:
            message = f"{branch.name}：{error}"
            raise ConditionFailed(message) from error
    raise ConditionFailed(node.name)

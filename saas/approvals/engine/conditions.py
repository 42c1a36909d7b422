"""Compares an instance's fields with a condition's values; never runs text as code."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from saas.approvals.definition import Branch, Comparison, Condition
from saas.approvals.definition.model import Operator
from saas.approvals.engine.state import State


class ConditionFailed(Exception):
    """A condition cannot be answered for this instance; the message names field and value."""


def first_branch(node: Condition, state: State) -> Branch:
    """The first branch all of whose comparisons hold.

    Raises:
        ConditionFailed: a field is missing or cannot be compared, or no branch holds.
    """
    for branch in node.branches:
        if all(holds(comparison, state) for comparison in branch.when):
            return branch
    raise ConditionFailed(node.name)


def holds(comparison: Comparison, state: State) -> bool:
    """Whether one comparison holds.

    Raises:
        ConditionFailed: the field is missing or of another type than the comparison needs.
    """
    if comparison.field not in state.values:
        raise ConditionFailed(comparison.field)
    actual, wanted = state.values[comparison.field], comparison.value
    match comparison.operator:
        case Operator.EQUAL:
            return _same(actual, wanted)
        case Operator.NOT_EQUAL:
            return not _same(actual, wanted)
        case Operator.IN:
            return any(_same(actual, one) for one in wanted)
        case Operator.CONTAINS:
            if isinstance(actual, str):
                return str(wanted) in actual
            if isinstance(actual, list | tuple):
                return any(_same(one, wanted) for one in actual)
            raise ConditionFailed(f"{comparison.field} = {actual!r}")
        case operator:
            return _ORDER[operator](_number(comparison.field, actual), _number(comparison.field, wanted))


_ORDER: dict[Operator, Callable[[Decimal, Decimal], bool]] = {
    Operator.LESS: lambda a, b: a < b,
    Operator.AT_MOST: lambda a, b: a <= b,
    Operator.MORE: lambda a, b: a > b,
    Operator.AT_LEAST: lambda a, b: a >= b,
}


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or str(one) == str(other)


def _number(name: str, value: Any) -> Decimal:
    if isinstance(value, bool) or value is None:
        raise ConditionFailed(f"{name} = {value!r}")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ConditionFailed(f"{name} = {value!r}") from None
    if not number.is_finite():
        raise ConditionFailed(f"{name} = {value!r}")
    return number

"""What a flow is: a tree a clerk can read, stored as validated JSON."""

from saas.approvals.definition.model import (
    Approve,
    Automatic,
    Branch,
    Circulate,
    Condition,
    End,
    Flow,
    Limit,
    Mode,
    Node,
    Overdue,
    Parallel,
    Rule,
    RuleKind,
    Start,
    SubFlow,
)
from saas.approvals.definition.parse import DefinitionInvalid, Problem, parse

__all__ = [
    "Approve",
    "Automatic",
    "Branch",
    "Circulate",
    "Condition",
    "DefinitionInvalid",
    "End",
    "Flow",
    "Limit",
    "Mode",
    "Node",
    "Overdue",
    "Parallel",
    "Problem",
    "Rule",
    "RuleKind",
    "Start",
    "SubFlow",
    "parse",
]

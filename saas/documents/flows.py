"""Which flows may issue a document: 签发 stands on every way through them and is always a person's own agreement."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from saas.approvals.definition import Approve, Condition, Flow, Node, Overdue, Parallel, Problem
from saas.approvals.definition.model import DrafterAlone, OnRefused, Repeat
from saas.documents.kinds import INCOMING_FLOW

SIGN_OFF = "sign_off"


def signs_off(flow: Flow) -> bool:
    """Whether a document may be sent into this flow: it has 签发, and nothing is wrong with it."""
    return any(SIGN_OFF in node.marks for node in flow.walk()) and not any(signing_problems(flow))


def issues(key: str, flow: Flow) -> bool:
    """Whether the flow of that key is offered for outgoing documents; 收文办理 never is."""
    return key != INCOMING_FLOW and signs_off(flow)


def signing_problems(flow: Flow) -> Iterator[Problem]:
    """What is wrong with a flow that signs documents off; nothing for a flow without the mark.

    A sub-flow's own 签发 does not count: it may be published anew while the flow around it stays.
    """
    marked = [node for node in flow.walk() if SIGN_OFF in node.marks]
    for node in marked:
        if not isinstance(node, Approve):
            yield Problem(node.name, _("签发标记只能放在审批环节上。"))
        elif not _decided_by_a_person(node):
            reason = _("签发环节须由签发人本人同意：不能自动跳过，不能逾期自动通过，不同意时不能继续。")
            yield Problem(node.name, reason)
    if marked and not _on_every_way(flow.nodes):
        yield Problem(marked[0].name, _("有的分支不经过签发环节就能办结。"))


def _decided_by_a_person(node: Approve) -> bool:
    skipped = node.repeat is not Repeat.ASK or node.drafter_alone is DrafterAlone.SKIP
    return not skipped and node.overdue is not Overdue.PASS and node.on_refused is not OnRefused.CONTINUE


def _on_every_way(nodes: tuple[Node, ...]) -> bool:
    return any(_signs(node) for node in nodes)


def _signs(node: Node) -> bool:
    match node:
        case Approve():
            return SIGN_OFF in node.marks
        case Condition():
            return all(_on_every_way(branch.nodes) for branch in node.branches)
        case Parallel():
            return any(_on_every_way(branch.nodes) for branch in node.branches)
        case _:
            return False

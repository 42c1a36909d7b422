"""What only this bureau can say about a definition: whether its posts, units, flows, fields and acts exist."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.utils.translation import gettext as _

from saas.approvals import registry
from saas.approvals.definition.model import (
    Approve,
    Automatic,
    Circulate,
    Condition,
    Flow,
    Node,
    Rule,
    RuleKind,
    SubFlow,
)
from saas.approvals.definition.parse import DefinitionInvalid, Problem, parse
from saas.approvals.forms import expressions
from saas.approvals.models import FlowVersion, VersionState
from saas.organisation.models import Appointment, Post, PostKind, Unit


def problems_here(flow: Flow, *, key: str) -> list[Problem]:
    """Every error of a well-formed definition against this bureau's organisation and the other flows."""
    organisation = [*_people(flow), *_conditions(flow), *_automatic(flow), *_sub_flows(flow, key)]
    return [*organisation, *registry.subjects_problems(flow)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _rules(flow: Flow) -> Iterator[tuple[Node, Rule]]:
    for node in flow.walk():
        if isinstance(node, Approve | Circulate):
            for rule in node.who:
                yield node, rule
        if isinstance(node, Approve) and node.substitute:
            yield node, Rule(kind=RuleKind.POST, id=node.substitute)


def _people(flow: Flow) -> Iterator[Problem]:
    posts = dict(Post.objects.filter(active=True).values_list("id", "name"))
    units = dict(Unit.objects.filter(active=True).values_list("id", "name"))
    held = set(Appointment.objects.current().values_list("post_id", flat=True))
    for node, rule in _rules(flow):
        if rule.kind is RuleKind.POST:
            post = _uuid(rule.id)
            if post not in posts:
                yield Problem(node.name, _("所指的岗位不存在或已停用。"))
            elif post not in held and not (isinstance(node, Approve) and node.substitute not in {"", rule.id}):
                yield Problem(node.name, _("岗位“%(post)s”现在无人任职。") % {"post": posts[post]})
        if rule.kind is RuleKind.GROUP and _uuid(rule.id) not in units:
            yield Problem(node.name, _("所指的部门不存在或已停用。"))
        in_unit = {RuleKind.ROLE_IN_UNIT, RuleKind.UNIT_LEADER, RuleKind.IN_CHARGE}
        if rule.kind in in_unit and rule.unit != "drafter" and _uuid(rule.unit) not in units:
            yield Problem(node.name, _("所指的部门不存在或已停用。"))
        if rule.kind is RuleKind.ROLE_IN_UNIT and rule.role not in PostKind.values:
            yield Problem(node.name, _("不认识的岗位类别“%(role)s”。") % {"role": rule.role})
        for one in rule.among:
            if _uuid(one) not in posts and _uuid(one) not in units:
                yield Problem(node.name, _("可选范围里有不存在的岗位或部门。"))


def _conditions(flow: Flow) -> Iterator[Problem]:
    known = registry.known_fields()
    for field in flow.form.fields:
        if field.key in known:
            reason = _("字段标识“%(key)s”重复，或是系统保留的。") % {"key": field.key}
            yield Problem(f"{_('表单')} · {field.label}", reason)
    types = {name: spec.type for name, spec in known.items()} | expressions.types_of(flow.form)
    columns = expressions.columns_of(flow.form)
    for node in flow.walk():
        if not isinstance(node, Condition):
            continue
        for branch in node.branches:
            for problem in expressions.problems_of(branch.when, types, columns) if branch.when else ():
                text = _("分支“%(branch)s”的条件：%(problem)s") % {"branch": branch.name, "problem": problem}
                yield Problem(node.name, text)


def _automatic(flow: Flow) -> Iterator[Problem]:
    for node in flow.walk():
        if isinstance(node, Automatic) and registry.action_of(node.action) is None:
            yield Problem(node.name, _("没有自动办理“%(action)s”。") % {"action": node.action})


def _sub_flows(flow: Flow, key: str) -> Iterator[Problem]:
    used = {node.flow: node.name for node in flow.walk() if isinstance(node, SubFlow)}
    if not used:
        return
    trees = dict(FlowVersion.objects.filter(state=VersionState.PUBLISHED).values_list("flow__key", "tree"))
    calls: dict[str, set[str]] = {}
    for name, tree in trees.items():
        try:
            calls[name] = {node.flow for node in parse(tree).walk() if isinstance(node, SubFlow)}
        except DefinitionInvalid:
            calls[name] = set()
    calls[key] = set(used)
    for called, name in used.items():
        if called != key and called not in trees:
            yield Problem(name, _("子流程“%(key)s”没有已发布的版本。") % {"key": called})
        elif key in _reached(called, calls):
            yield Problem(name, _("子流程“%(key)s”会绕回本流程，永远走不完。") % {"key": called})


def _reached(start: str, calls: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        current = ahead.pop()
        if current not in seen:
            seen.add(current)
            ahead += calls.get(current, ())
    return seen

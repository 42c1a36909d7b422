"""Lets other apps put their matters through flows: what a subject shows, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from saas.approvals.forms.model import FieldType
from saas.core.actors import Actor

if TYPE_CHECKING:
    from saas.approvals.definition import Flow, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a flow is about, as its lists show it.

    Args:
        kind: as registered with `register_subject`, e.g. ``outgoing``.
        id: the subject's own id in its app.
        title: at most 500 characters.
        urgency: 0 ordinary, 1 平急, 2 加急, 3 特急 (特提 is 4).
        number: 文号 or another number a reader knows it by; empty while it has none.
    """

    kind: str
    id: UUID
    title: str
    urgency: int = 0
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRef:
    """A running flow as its subject's app sees it."""

    id: UUID
    flow_key: str
    subject: Subject
    drafter_person_id: UUID | None
    drafter_post_id: UUID | None
    drafter_label: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NodeRef:
    """A node of the flow; `marks` are the words its definition gives to the subject's app, e.g. ``sign_off``."""

    key: str
    name: str
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Summary:
    """How the handling page shows a subject: a template of the subject's app with its context, and a link."""

    template: str
    context: Mapping[str, Any]
    url: str = ""


class SubjectHandler:
    """What the subject's app does with its flow. Every method runs in the transaction of the act.

    What a method raises undoes the act. Derive from this and override what matters.
    """

    label: str = ""

    def summary(self, subject_id: UUID, actor: Actor) -> Summary | None:
        """What the handling page shows of the subject; None shows the title alone."""
        del subject_id, actor
        return None

    def can_act(self, instance: InstanceRef, node: NodeRef, act: str, by: Actor) -> str:
        """Empty when the act may go on; else the translated reason why not (e.g. 正文为空)."""
        del instance, node, act, by
        return ""

    def on_entered(self, instance: InstanceRef, node: NodeRef) -> None:
        """The flow has come to a node."""

    def on_passed(self, instance: InstanceRef, node: NodeRef, by: Actor) -> None:
        """A node has been agreed to; `by` is who decided it."""

    def on_circulated(self, instance: InstanceRef, groups: frozenset[UUID]) -> None:
        """It was given to more posts and units to read."""

    def on_finished(self, instance: InstanceRef, by: Actor) -> None:
        """The flow has come to its end."""

    def on_terminated(self, instance: InstanceRef, by: Actor) -> None:
        """The flow was ended before its end."""

    def on_returned_to_start(self, instance: InstanceRef, by: Actor) -> None:
        """The subject is back with its drafter (returned, refused or withdrawn)."""


APPLICATION = "application"


class Applications(SubjectHandler):
    """Matters that are nothing but their form: the engine's page shows it, and nothing else follows."""

    label = _("申请")  # type: ignore[assignment]


class AutomaticAct(Protocol):
    """What an automatic node runs, in a job; safe to run twice."""

    def __call__(self, instance: InstanceRef) -> None:
        """Do it, or raise a `YunshuError` whose message holds the node."""


class FlowCheck(Protocol):
    """What a subject's app says of a definition before it is published."""

    def __call__(self, flow: Flow) -> Iterable[Problem]:
        """Every reason why the flow would be wrong for the app's subjects."""
        ...


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of the subject that conditions may ask for."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    type: FieldType = FieldType.TEXT


_handlers: dict[str, SubjectHandler] = {}
_actions: dict[str, tuple[str, AutomaticAct]] = {}
_fields: dict[str, tuple[FieldSpec, ...]] = {}
_checks: dict[str, FlowCheck] = {}


def register_subject(
    kind: str, handler: SubjectHandler, *, fields: tuple[FieldSpec, ...] = (), check: FlowCheck | None = None
) -> None:
    """Make subjects of `kind` known; called in `AppConfig.ready()`.

    Args:
        kind: stable name, at most 40 characters.
        handler: what the app does with its flows.
        fields: what conditions may ask for; their values come with `start_flow(values=…)`.
        check: asked of every flow at its publication; it answers for flows that bear the app's own marks.
    """
    _handlers[kind] = handler
    _fields[kind] = fields
    if check is not None:
        _checks[kind] = check


def subjects_problems(flow: Flow) -> list[Problem]:
    """What the subjects' apps have against a flow."""
    return [problem for check in _checks.values() for problem in check(flow)]


def register_action(name: str, label: str, act: AutomaticAct) -> None:
    """Make an automatic act known by `name`; called in `AppConfig.ready()`."""
    _actions[name] = (label, act)


def handler_of(kind: str) -> SubjectHandler:
    """The handler of a kind; a kind nobody registered has the empty one."""
    return _handlers.get(kind) or SubjectHandler()


def subject_kinds() -> dict[str, str]:
    """Kinds and their labels, in the order of registration."""
    return {kind: str(handler.label or kind) for kind, handler in _handlers.items()}


def action_of(name: str) -> AutomaticAct | None:
    """The automatic act of that name, or None."""
    found = _actions.get(name)
    return found[1] if found else None


def action_names() -> dict[str, str]:
    """Names and labels of all automatic acts."""
    return {name: label for name, (label, _act) in _actions.items()}


def known_fields() -> dict[str, FieldSpec]:
    """Every field a condition may ask for, with those all instances have."""
    levels = tuple(
        (str(level), text) for level, text in ((0, "一般"), (1, "平急"), (2, "加急"), (3, "特急"), (4, "特提"))
    )
    common = (
        FieldSpec("urgency", "紧急程度", levels, FieldType.INTEGER),
        FieldSpec("drafter_unit", "拟稿部门"),
        FieldSpec("title", "标题"),
    )
    return {spec.name: spec for specs in (common, *_fields.values()) for spec in specs}

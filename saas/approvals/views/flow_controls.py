"""The flow editor's controls: a label, a name, a value and what may be chosen, drawn by one template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from saas.approvals import registry
from saas.approvals.definition import RuleKind
from saas.approvals.definition.editing import cards
from saas.approvals.forms.model import NUMBERS, WHO, FieldType
from saas.approvals.views import flow_cards
from saas.organisation import selectors as organisation
from saas.organisation.models import PostKind

Groups = Sequence[tuple[str, Sequence[tuple[str, str]]]]
MOST_LINES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One input of the editor; `kind` is ``text``, ``number``, ``area``, ``select`` or ``check``."""

    name: str
    label: str
    kind: str = "text"
    value: Any = ""
    groups: Groups = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Controls that belong together, with lines inside (a table's columns)."""

    controls: Sequence[Control]
    title: str = ""
    inner: Sequence[Line] = ()
    remove: str = ""


@dataclass(slots=True)
class World:
    """What the controls offer, looked up once a page."""

    tree: Any
    flows: Callable[[], Sequence[tuple[str, str]]] = tuple
    _targets: Groups = field(default=())

    def fields(self) -> dict[str, Any]:
        """The form's fields and columns as written, by path."""
        form = self.tree.get("form") if isinstance(self.tree, Mapping) else None
        found: dict[str, Any] = {}
        for one in _list(form, "fields"):
            found[str(one.get("key", ""))] = one
            for column in _list(one, "columns"):
                found[f"{one.get('key', '')}.{column.get('key', '')}"] = column
        return found

    def label(self, path: str) -> str:
        """A field's or column's label, with its table's."""
        fields = self.fields()
        table, _dot, _column = path.rpartition(".")
        own = str(fields.get(path, {}).get("label") or path)
        return f"{fields.get(table, {}).get('label', table)} · {own}" if table else own

    def condition_fields(self) -> Groups:
        """What a condition may ask for: the form's fields, then what every matter has."""
        own = [(path, self.label(path)) for path, one in self.fields().items() if _comparable(path, one)]
        known = [(name, str(spec.label)) for name, spec in registry.known_fields().items()]
        return (
            [("", [("", _("请选择"))]), (_("表单字段"), own), (_("事项"), known)]
            if own
            else [
                ("", [("", _("请选择"))]),
                (_("事项"), known),
            ]
        )

    def type_of(self, name: str) -> FieldType:
        """The type of what a condition asks for."""
        spec = registry.known_fields().get(name)
        if spec is not None:
            return spec.type
        raw = str(self.fields().get(name, {}).get("type", ""))
        return FieldType(raw) if raw in list(FieldType) else FieldType.TEXT

    def references(self) -> Groups:
        """What a rule may refer to besides posts and units."""
        roles = [(f"role:{kind.value}", str(kind.label)) for kind in PostKind]
        fields = [
            (f"field:{path}", self.label(path)) for path, one in self.fields().items() if one.get("type") in list(WHO)
        ]
        nodes = [
            (f"node:{card.key}", str(card.node.get("name", card.key)))
            for card in cards(self.tree)
            if card.node.get("kind") in {"start", "approve"}
        ]
        return [("", [("", "—")]), (_("岗位类别"), roles), (_("表单字段"), fields), (_("前面的环节"), nodes)]

    def targets(self) -> Groups:
        """Units and posts."""
        if not self._targets:
            posts: dict[str, list[tuple[str, str]]] = {}
            for post in organisation.active_posts():
                posts.setdefault(post.unit.name, []).append((f"post:{post.id}", post.name))
            units = [(f"unit:{node.unit.id}", "　" * node.depth + node.unit.name) for node in organisation.unit_tree()]
            self._targets = [("", [("", _("拟稿部门"))]), (_("部门"), units), *posts.items()]
        return self._targets


def _comparable(path: str, one: Any) -> bool:
    return "." not in path and one.get("type") not in {FieldType.TABLE.value}


def _list(source: Any, name: str) -> list[Mapping[str, Any]]:
    found = source.get(name) if isinstance(source, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def choose(
    name: str, label: str, choices: Mapping[Any, str | Promise], value: Any, *, default: str = "", hint: str = ""
) -> Control:
    """A select of a closed set of words."""
    groups = [("", [(str(key), str(text)) for key, text in choices.items()])]
    return Control(name=name, label=label, kind="select", value=str(value or default), groups=groups, hint=hint)


def who_lines(who: Any, world: World) -> list[Line]:
    """A line for each rule, and one more."""
    rules = [one for one in who if isinstance(one, Mapping)] if isinstance(who, list) else []
    return [_who_line(f"who_{number}", rule, world) for number, rule in enumerate([*rules, {}])]


def _who_line(name: str, rule: Mapping[str, Any], world: World) -> Line:
    kind = str(rule.get("rule", ""))
    target = ""
    if kind in {RuleKind.POST, RuleKind.GROUP}:
        target = f"{'post' if kind == RuleKind.POST else 'unit'}:{rule.get('id', '')}"
    elif rule.get("unit") not in {None, "", "drafter"}:
        target = f"unit:{rule.get('unit')}"
    refer = ""
    if kind == RuleKind.ROLE_IN_UNIT:
        refer = f"role:{rule.get('role', '')}"
    elif kind == RuleKind.FIELD:
        refer = f"field:{rule.get('field', '')}"
    elif rule.get("node"):
        refer = f"node:{rule.get('node')}"
    kinds = [("", _("（不增加）")), *((str(key), str(text)) for key, text in flow_cards.RULES.items())]
    return Line(
        controls=[
            Control(name=f"{name}_rule", label=_("办理人"), kind="select", value=kind, groups=[("", kinds)]),
            Control(name=f"{name}_target", label=_("岗位或部门"), kind="select", value=target, groups=world.targets()),
            Control(
                name=f"{name}_refer", label=_("类别、字段或环节"), kind="select", value=refer, groups=world.references()
            ),
            Control(name=f"{name}_level", label=_("往上几级"), kind="number", value=rule.get("level", 1)),
        ]
    )


def read_who(posted: QueryDict, before: Any) -> list[dict[str, Any]]:
    """The rules as the lines say them; what the lines do not show is kept."""
    old = [one for one in before if isinstance(one, Mapping)] if isinstance(before, list) else []
    found = []
    for number in range(MOST_LINES):
        kind = posted.get(f"who_{number}_rule", "")
        if kind not in list(RuleKind):
            continue
        was = old[number] if number < len(old) and old[number].get("rule") == kind else {}
        found.append(_rule(RuleKind(kind), posted, f"who_{number}", was))
    return found


def _rule(kind: RuleKind, posted: QueryDict, name: str, was: Mapping[str, Any]) -> dict[str, Any]:
    sort, _colon, target = posted.get(f"{name}_target", "").partition(":")
    refer_kind, _colon, refer = posted.get(f"{name}_refer", "").partition(":")
    rule: dict[str, Any] = {"rule": kind.value}
    if kind in {RuleKind.POST, RuleKind.GROUP}:
        rule["id"] = target if sort == ("post" if kind is RuleKind.POST else "unit") else ""
    elif kind in {RuleKind.UNIT_LEADER, RuleKind.IN_CHARGE, RuleKind.ROLE_IN_UNIT} and sort == "unit":
        rule["unit"] = target
    elif kind is RuleKind.LEADER_ABOVE:
        rule["level"] = whole(posted.get(f"{name}_level", "")) or 1
    elif kind is RuleKind.CHOSEN:
        among = [target] if target else list(was.get("among") or ())
        rule |= {"among": among} if among else {}
    if kind is RuleKind.ROLE_IN_UNIT:
        rule["role"] = refer if refer_kind == "role" else ""
    if kind is RuleKind.FIELD:
        rule["field"] = refer if refer_kind == "field" else ""
    if kind in {RuleKind.SAME_AS, RuleKind.CHOSEN} and refer_kind == "node":
        rule["node"] = refer
    return rule


def whole(text: str) -> int | None:
    """A whole number as typed, None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def typed(text: str, kind: FieldType) -> Any:
    """A condition's value as JSON, by the type of what it is compared with; as typed when it does not fit."""
    text = text.strip()
    try:
        if kind is FieldType.INTEGER:
            return int(text)
        if kind in NUMBERS:
            return float(text)
    except ValueError:
        return text
    if kind is FieldType.YES_NO:
        return text in {"是", "yes", "true", "1"}
    return text

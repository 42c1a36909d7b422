"""The published JSON Schema of a definition, made from the same enums the reader uses, so the two cannot part."""

from __future__ import annotations

import enum
from typing import Any

from saas.approvals.definition.model import (
    MAX_NODES,
    DrafterAlone,
    Mode,
    OnRefused,
    Operator,
    Repeat,
    RuleKind,
    Vacant,
    Visibility,
)
from saas.approvals.definition.parse import KEY_LENGTH, NAME_LENGTH

Schema = dict[str, Any]
_ID: Schema = {"type": "string", "maxLength": 36}
_KEY: Schema = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH}
_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}


def _one_of(choices: type[enum.StrEnum]) -> Schema:
    return {"enum": [choice.value for choice in choices]}


def _whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _list_of(name: str, least: int) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}, "minItems": least}


def _node(kind: str, *required: str, **properties: Schema) -> Schema:
    base: Schema = {"kind": {"const": kind}, "key": _KEY, "name": _NAME, "marks": _TEXTS}
    return {
        "title": kind,
        "type": "object",
        "required": ["kind", "key", "name", *required],
        "properties": base | properties,
    }


def definition_schema() -> Schema:
    """JSON Schema 2020-12 of ``{"nodes": [...]}``; what only the whole tree shows is checked at publication."""
    approve = _node(
        "approve",
        "who",
        who=_list_of("rule", 1),
        mode=_one_of(Mode),
        share=_whole(1, 100),
        number=_whole(1, 1000),
        opinions=_one_of(Visibility),
        vacant=_one_of(Vacant),
        substitute=_ID,
        drafter_alone=_one_of(DrafterAlone),
        repeat=_one_of(Repeat),
        on_refused=_one_of(OnRefused),
        limit={"type": "object", "properties": {"days": _whole(0, 365), "hours": _whole(0, 80)}},
        opinion_required={"type": "boolean"},
        bulk={"type": "boolean"},
        forbid=_TEXTS,
    )
    kinds = [
        _node("start"),
        approve,
        _node("circulate", "who", who=_list_of("rule", 1)),
        _node("condition", "branches", branches=_list_of("branch", 2)),
        _node("parallel", "branches", branches=_list_of("branch", 2)),
        _node("subflow", "flow", flow=_KEY),
        _node("automatic", "action", action=_NAME),
        _node("end"),
    ]
    rule: Schema = {
        "type": "object",
        "required": ["rule"],
        "properties": {
            "rule": _one_of(RuleKind),
            "id": _ID,
            "unit": _ID,
            "role": {"type": "string", "maxLength": 12},
            "level": _whole(1, 10),
            "node": {"type": "string", "maxLength": KEY_LENGTH},
            "among": _TEXTS,
        },
    }
    comparison: Schema = {
        "type": "object",
        "required": ["field", "value"],
        "properties": {"field": _NAME, "is": _one_of(Operator), "value": True},
    }
    branch: Schema = {
        "type": "object",
        "required": ["name", "nodes"],
        "properties": {"name": _NAME, "when": _list_of("comparison", 0), "nodes": _list_of("node", 0)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flow definition",
        "type": "object",
        "required": ["nodes"],
        "properties": {"nodes": {**_list_of("node", 3), "maxItems": MAX_NODES}},
        "$defs": {"node": {"oneOf": kinds}, "rule": rule, "comparison": comparison, "branch": branch},
    }

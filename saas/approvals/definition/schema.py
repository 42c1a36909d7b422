"""The published JSON Schema of a definition, made from the same enums the reader uses, so the two cannot part."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable
from typing import Any

from saas.approvals.definition.model import (
    MAX_NODES,
    DrafterAlone,
    Mode,
    OnRefused,
    Operator,
    Overdue,
    Repeat,
    RuleKind,
    Vacant,
    Visibility,
)
from saas.approvals.definition.parse import KEY_LENGTH, NAME_LENGTH
from saas.approvals.forms.expressions import MAX_LENGTH
from saas.approvals.forms.model import MAX_CHECKS, MAX_COLUMNS, MAX_FIELDS, NO_COLUMN, Access, FieldType

Schema = dict[str, Any]
_ID: Schema = {"type": "string", "maxLength": 36}
_KEY: Schema = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH}
_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
_NUMBER: Schema = {"type": ["number", "string"]}
_EXPRESSION: Schema = {"type": "string", "maxLength": MAX_LENGTH, "description": "CEL"}
_ACCESS: Schema = {"enum": [one.value for one in Access]}
_RULES: Schema = {
    "type": "object",
    "additionalProperties": {
        "oneOf": [_ACCESS, {"type": "object", "properties": {"access": _ACCESS, "rows": _EXPRESSION}}]
    },
}


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
        limit={
            "type": "object",
            "properties": {"days": _whole(0, 365), "hours": _whole(0, 80), "remind": _whole(0, 80)},
        },
        overdue=_one_of(Overdue),
        opinion_required={"type": "boolean"},
        bulk={"type": "boolean"},
        forbid=_TEXTS,
        fields=_RULES,
    )
    kinds = [
        _node("start", fields=_RULES),
        approve,
        _node("circulate", "who", who=_list_of("rule", 1), fields=_RULES),
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
            "field": {"type": "string", "maxLength": 2 * KEY_LENGTH + 1},
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
        "properties": {
            "name": _NAME,
            "when": {"oneOf": [_EXPRESSION, _list_of("comparison", 0)]},
            "nodes": _list_of("node", 0),
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flow definition",
        "type": "object",
        "required": ["nodes"],
        "properties": {"nodes": {**_list_of("node", 3), "maxItems": MAX_NODES}, "form": _form()},
        "$defs": {
            "node": {"oneOf": kinds},
            "rule": rule,
            "comparison": comparison,
            "branch": branch,
            "field": _field(FieldType, columns={**_list_of("column", 1), "maxItems": MAX_COLUMNS}),
            "column": _field([one for one in FieldType if one not in NO_COLUMN]),
        },
    }


def _form() -> Schema:
    check: Schema = {
        "type": "object",
        "required": ["check", "message"],
        "properties": {"check": _EXPRESSION, "message": {"type": "string"}, "field": {"type": "string"}},
    }
    return {
        "type": "object",
        "required": ["fields"],
        "properties": {
            "fields": {**_list_of("field", 0), "maxItems": MAX_FIELDS},
            "checks": {"type": "array", "items": check, "maxItems": MAX_CHECKS},
            "applies": {"type": "boolean"},
        },
    }


def _field(types: Iterable[FieldType], **more: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["key", "label", "type"],
        "properties": {
            "key": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "maxLength": KEY_LENGTH},
            "label": _NAME,
            "type": {"enum": [one.value for one in types]},
            "required": {"type": "boolean"},
            "hint": {"type": "string"},
            "choices": _TEXTS,
            "least": _NUMBER,
            "most": _NUMBER,
            "digits": _whole(0, 6),
            **more,
        },
    }


def schema_text() -> str:
    """The schema as published in ``flow.schema.json``."""
    return json.dumps(definition_schema(), ensure_ascii=False, indent=2) + "\n"

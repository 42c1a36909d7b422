"""What agents ask of management: their commands, and a place for their facts."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core.errors import BadRequest
from tenants.directory.commands import Report, take_report, waiting_for
from tenants.directory.door import cell_door
from tenants.directory.models import Cell, Fact
from tenants.protocol import CommandState, encode_signature

MOST_FACTS = 1000


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
        if not isinstance(body, dict):
            raise TypeError
    except (ValueError, TypeError):
        raise BadRequest(_("无法读懂这次提交的内容。")) from None
    return body


@cell_door
def commands(request: HttpRequest, cell: Cell) -> JsonResponse:
    """Take in reports, hand out what the cell has still to do."""
    try:
        reports = [
            Report(
                command_id=UUID(item["id"]),
                state=CommandState(item["state"]),
                progress=int(item.get("progress", 0)),
                step=str(item.get("step", "")),
                result=dict(item.get("result", {})),
                error=str(item.get("error", "")),
            )
            for item in _body(request).get("reports", [])
        ]
    except (KeyError, ValueError, TypeError):
        raise BadRequest(_("无法读懂这次提交的内容。")) from None
    for report in reports:
        take_report(cell, report)
    return JsonResponse(
        {
            "commands": [
                {
                    "text": command.text,
                    "signature": encode_signature(bytes(command.signature)),
                    "algorithm": command.algorithm,
                }
                for command in waiting_for(cell)
            ]
        }
    )


@cell_door
def facts(request: HttpRequest, cell: Cell) -> JsonResponse:
    """Keep the last value of each fact."""
    now = timezone.now()
    try:
        rows = {
            (str(item["kind"])[:30], str(item.get("bureau", ""))[:31]): item["value"]
            for item in _body(request)["facts"][:MOST_FACTS]
        }
    except (KeyError, TypeError, AttributeError):
        raise BadRequest(_("无法读懂这次提交的内容。")) from None
    with transaction.atomic():
        Fact.objects.bulk_create(
            [
                Fact(cell=cell, kind=kind, bureau_code=bureau, at=now, value=value)
                for (kind, bureau), value in sorted(rows.items())
            ],
            update_conflicts=True,
            unique_fields=["cell", "kind", "bureau_code"],
            update_fields=["at", "value"],
        )
    return JsonResponse({"kept": len(rows)})

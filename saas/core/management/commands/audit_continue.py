"""Lets the trail of a restored bureau go on, and writes into it what was cut off."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from psycopg import sql

from saas.core.actors import Actor
from saas.core.audit import Event, record, trails
from saas.core.audit.services import Target
from saas.core.errors import YunshuError
from saas.core.keys import HeadMark, head_marks, raise_head_marks
from saas.core.tenancy import directory
from saas.env import Zone


class Command(BaseCommand):
    help = "Continue the audit trail of a bureau restored from an older copy; the cut is recorded in the trail."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the bureau's code")
        parser.add_argument("--reason", required=True, help="which copy was restored, and why")
        parser.add_argument("--operator", required=True, help="who decided it")

    def handle(self, *args: Any, **options: Any) -> None:
        if "owner" not in connections.databases:
            raise CommandError("OWNER_DATABASE_URL 未设置 / is not set: trails are read as their owner")
        schema = trails.schemas_by_code("owner").get(options["tenant"])
        if schema is None:
            raise CommandError(f"没有单位 / no bureau: {options['tenant']}")
        try:
            mark, last = self._continue(schema, options)
        except YunshuError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{options['tenant']}: {last.seq} (← {mark.seq})")

    def _continue(self, schema: str, options: dict[str, Any]) -> tuple[HeadMark, HeadMark]:
        zone, cell = Zone(settings.ZONE), settings.CELL
        mark = head_marks(zone, cell).get(schema)
        if mark is None or _link(schema, "WHERE seq = %s", [mark.seq]) == mark:
            raise CommandError("审计链没有中断 / the trail is not held: nothing to do")
        last = _link(schema, "ORDER BY seq DESC LIMIT 1", [])
        cut: dict[str, str | int | bool | list[str] | None] = {
            "signed_up_to": mark.seq,
            "signed_digest": mark.digest,
            "continues_from": last.seq,
            "reason": options["reason"],
        }
        with directory().activate(schema):
            by = Actor(user_id=None, user_name=options["operator"])
            record(Event.AUDIT_CONTINUED, by=by, target=Target("trail", schema, options["tenant"]), detail=cut)
        raise_head_marks(zone, cell, {schema: last})
        return mark, last


def _link(schema: str, which: str, values: list[int]) -> HeadMark:
    """One link of a trail; sequence 0 when there is none."""
    with connections["owner"].cursor() as cursor:
        query = sql.SQL("SELECT seq, digest FROM {}.audit_link ").format(sql.Identifier(schema)) + sql.SQL(which)
        cursor.execute(query, values)
        row = cursor.fetchone()
    return HeadMark(row[0], bytes(row[1]).hex()) if row else HeadMark(0, "")

"""Writes a checked plan in one transaction, with a few statements whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import connection, models, transaction

from saas.accounts.bulk import accounts_create
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.organisation import changes
from saas.organisation.models import Appointment, Person, Post, Unit
from saas.organisation.workbook.layout import Sheet
from saas.organisation.workbook.plan import Plan, make_plan
from saas.organisation.workbook.reading import Contents

_BATCH = 1_000


def import_contents(contents: Contents, *, by: Actor, file_name: str, sha256: str, tick: Callable[[], None]) -> Plan:
    """Check and, when no row is wrong, write everything or nothing.

    Args:
        contents: what was read.
        by: the system administrator who confirmed it.
        file_name: for the audit trail.
        sha256: of the file, for the audit trail.
        tick: called after each row checked and each row written.

    Returns:
        the plan; with problems when nothing was written.
    """
    with transaction.atomic():
        # The plan compares with everything: nobody may change the organisation until it is written.
        with connection.cursor() as cursor:
            cursor.execute(
                "LOCK TABLE organisation_unit, organisation_post, organisation_person, organisation_appointment"
                " IN SHARE ROW EXCLUSIVE MODE"
            )
        plan = make_plan(contents, tick=tick)
        if plan.problems:
            return plan
        _write(plan, by=by, tick=tick)
        record(
            Event.WORKBOOK_IMPORTED,
            by=by,
            target=Target("workbook", sha256, file_name),
            detail={
                f"{sheet.name.lower()}_{what}": getattr(plan.counts[sheet.title], what)
                for sheet in Sheet
                for what in ("added", "changed", "unchanged")
            }
            | {"accounts": len(plan.accounts), "sha256": sha256},
        )
        posts = {post.id for post in plan.posts} | {a.post_id for a in plan.appointments}
        posts |= {unit.in_charge_post_id for unit in plan.units if unit.in_charge_post_id}
        people = {person.id for person in plan.people} | {a.person_id for a in plan.appointments}
        changes.announce(by=by, posts=posts, people=people)
    return plan


def _write(plan: Plan, *, by: Actor, tick: Callable[[], None]) -> None:
    if plan.accounts:
        ids = accounts_create(names={login: person.name for login, person in plan.accounts.items()}, by=by)
        for login, person in plan.accounts.items():
            person.user_id = ids[login]
    # Foreign keys are checked at commit, so the order of the tables does not matter.
    _upsert(Unit, plan.units, ["code", "name", "short_name", "parent", "position", "active", "in_charge_post"], tick)
    _upsert(Post, plan.posts, ["unit", "name", "kind", "position", "active"], tick)
    _upsert(
        Person,
        plan.people,
        ["user", "staff_number", "name", "initials", "mobile", "email", "rank", "active"],
        tick,
    )
    _clear_primary(plan.no_longer_primary)
    _upsert(Appointment, plan.appointments, ["person", "post", "starts", "ends", "acting", "primary"], tick)


def _upsert(
    model: type[models.Model], rows: Sequence[models.Model], update_fields: list[str], tick: Callable[[], None]
) -> None:
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        model._default_manager.bulk_create(
            batch, update_conflicts=True, unique_fields=["id"], update_fields=update_fields
        )
        for _row in batch:
            tick()


def _clear_primary(appointment_ids: list[UUID]) -> None:
    if appointment_ids:
        Appointment.objects.filter(id__in=appointment_ids).update(primary=False)

"""What the consoles show, put together from the directory's selectors: rows ready for the templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from saas.core.audit.models import AuditHead, AuditLink, AuditRecord
from saas.env import Zone
from tenants.directory import selectors
from tenants.directory.models import BureauState, Command, DirectoryBureau
from tenants.directory.services import host_of
from tenants.protocol import FINAL, CommandState, Kind

STATE_KINDS = {
    BureauState.ACTIVE: "good",
    BureauState.CREATING: "info",
    BureauState.SUSPENDED: "warn",
    BureauState.FAILED: "bad",
}
KIND_LABELS: dict[str, Promise] = {
    Kind.CREATE: _("开通"),
    Kind.SUSPEND: _("停用"),
    Kind.RESUME: _("恢复"),
    Kind.MIGRATE: _("升级"),
    Kind.RETRY_JOB: _("重做任务"),
}
COMMAND_STATES: dict[str, tuple[Promise, str]] = {
    CommandState.WAITING: (_("等待单元领取"), "plain"),
    CommandState.RUNNING: (_("执行中"), "info"),
    CommandState.DONE: (_("完成"), "good"),
    CommandState.FAILED: (_("失败"), "bad"),
    CommandState.REFUSED: (_("被单元拒绝"), "bad"),
}
ZONES: dict[str, Promise] = {Zone.INTRANET: _("内网"), Zone.EXTRANET: _("外网"), Zone.MANAGEMENT: _("管理域")}
VAULT_STATES: dict[str, tuple[Promise, str]] = {
    "ready": (_("可用"), "good"),
    "sealed": (_("已封存"), "bad"),
    "unreachable": (_("连不上"), "bad"),
}
# A part that takes longer than this (milliseconds) is drawn as slow.
SLOW_MS = 250


@dataclass(frozen=True, slots=True)
class BureauRow:
    """A bureau as the list shows it."""

    bureau: DirectoryBureau
    host: str
    users: int | None
    migration_error: str
    migrated_at: datetime | None

    @property
    def state_kind(self) -> str:
        """Colour of the state's tag."""
        return STATE_KINDS[BureauState(self.bureau.state)]


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command with its words."""

    command: Command
    kind: str | Promise
    state: str | Promise
    state_kind: str
    cell: str
    final: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """How long a part of a cell took to answer, in milliseconds; None when it did not."""

    label: str | Promise
    milliseconds: float | None

    @property
    def state_kind(self) -> str:
        """Colour of its bar."""
        if self.milliseconds is None:
            return "bad"
        return "warn" if self.milliseconds > SLOW_MS else "good"


@dataclass(frozen=True, slots=True)
class CellRow:
    """A cell's health with its words."""

    seen: selectors.CellHealth
    zone: str | Promise
    vault: str | Promise
    vault_kind: str
    measures: list[Measure]
    waiting: int
    doing: int
    failed: int


@dataclass(frozen=True, slots=True)
class FailedJobRow:
    """A failed job of some cell."""

    cell_id: str
    cell: str
    id: int
    task: str
    error: str
    attempts: int
    bureau: str


@dataclass(frozen=True, slots=True)
class TrailState:
    """Management's own audit trail: what is recorded, chained, signed."""

    records: int
    links: int
    head_seq: int
    signed_at: datetime | None

    @property
    def waiting(self) -> int:
        """Records that are not in the chain yet."""
        return self.records - self.links


@dataclass(frozen=True, slots=True)
class DatabaseRights:
    """What this process's database login could do; anything but nothing is a finding."""

    role: str
    superuser: bool
    bypasses_row_security: bool
    creates_roles: bool
    tenant_roles: int

    @property
    def sound(self) -> bool:
        """Whether the login is as harmless as it must be."""
        return not (self.superuser or self.bypasses_row_security or self.creates_roles or self.tenant_roles)


def bureau_rows(*, state: str = "", text: str = "") -> list[BureauRow]:
    """Bureaus by code with what their cells last said, in two queries.

    Args:
        state: only those in this state.
        text: only those whose name or code has it.
    """
    facts = selectors.facts_by_bureau()
    rows = [_bureau_row(bureau, facts.get(bureau.code, {})) for bureau in selectors.bureaus()]
    wanted = text.strip().lower()
    return [
        row
        for row in rows
        if (not state or row.bureau.state == state)
        and (not wanted or wanted in row.bureau.name.lower() or wanted in row.bureau.code)
    ]


def _bureau_row(bureau: DirectoryBureau, fact: dict[str, Any]) -> BureauRow:
    return BureauRow(
        bureau=bureau,
        host=host_of(bureau.code, Zone.INTRANET),
        users=fact.get("users"),
        migration_error=str(fact.get("migration_error", "")),
        migrated_at=parse_datetime(str(fact.get("migrated_at", ""))) if fact.get("migrated_at") else None,
    )


def bureau_row(bureau: DirectoryBureau) -> BureauRow:
    """One bureau with what its intranet cell last said."""
    facts = [fact for fact in selectors.bureau_facts(bureau.code) if fact.cell.zone == Zone.INTRANET]
    return _bureau_row(bureau, dict(facts[0].value) if facts else {})


def command_rows(*, bureau: DirectoryBureau | None = None, limit: int = 20) -> list[CommandRow]:
    """The newest commands with their words."""
    return [command_row(command) for command in selectors.commands(bureau=bureau, limit=limit)]


def command_row(command: Command) -> CommandRow:
    """One command with its words."""
    state, kind = COMMAND_STATES[command.state]
    return CommandRow(
        command=command,
        kind=KIND_LABELS[command.kind],
        state=state,
        state_kind=kind,
        cell=f"{ZONES[command.cell.zone]} {command.cell.name}",
        final=CommandState(command.state) in FINAL,
    )


def cell_rows() -> list[CellRow]:
    """Every cell's health, in two queries."""
    return [_cell_row(seen) for seen in selectors.health()]


def _cell_row(seen: selectors.CellHealth) -> CellRow:
    vault, kind = VAULT_STATES.get(str(seen.health.get("vault", "")), (_("未知"), "plain"))
    return CellRow(
        seen=seen,
        zone=ZONES[seen.cell.zone],
        vault=vault,
        vault_kind=kind,
        measures=[
            Measure(_("数据库"), seen.health.get("database_ms")),
            Measure(_("密钥服务"), seen.health.get("vault_ms")),
            Measure(_("文件存储"), seen.health.get("storage_ms")),
        ]
        if seen.health
        else [],
        waiting=int(seen.jobs.get("todo", 0)),
        doing=int(seen.jobs.get("doing", 0)),
        failed=int(seen.jobs.get("failed", 0)),
    )


def failed_job_rows(cells: list[CellRow]) -> list[FailedJobRow]:
    """The failed jobs of `cells`, newest first within each."""
    return [
        FailedJobRow(
            cell_id=str(row.seen.cell.id),
            cell=f"{row.zone} {row.seen.cell.name}",
            id=int(job["id"]),
            task=str(job["task"]),
            error=str(job["error"]),
            attempts=int(job["attempts"]),
            bureau=str(job["bureau"]),
        )
        for row in cells
        for job in row.seen.failed_jobs
    ]


def refused_commands() -> list[CommandRow]:
    """Commands a cell would not carry out: a wrong signature, an old sequence, another cell's."""
    found = Command.objects.filter(state=CommandState.REFUSED.value).select_related("cell", "bureau")
    return [command_row(command) for command in found.order_by("-issued_at")[:20]]


def trail_state() -> TrailState:
    """How far management's own trail is chained and signed."""
    head = AuditHead.objects.order_by("-seq").first()
    return TrailState(
        records=AuditRecord.objects.count(),
        links=AuditLink.objects.count(),
        head_seq=head.seq if head else 0,
        signed_at=head.signed_at if head else None,
    )


def database_rights() -> DatabaseRights:
    """Ask the database what the role of this process may do, and whether a tenant's role exists in this zone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls, rolcreaterole, "
            "(SELECT count(*) FROM pg_roles WHERE rolname ~ '^b_[0-9a-f]{12}$') "
            "FROM pg_roles WHERE rolname = current_user"
        )
        role, superuser, bypasses, creates, tenants = cursor.fetchone()
    return DatabaseRights(role, superuser, bypasses, creates, tenants)

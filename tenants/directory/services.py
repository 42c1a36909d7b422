"""What operations may do to bureaus; every act becomes signed commands to the cells concerned."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from saas.core.access import Role
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound, Unavailable
from saas.core.one_time import one_time_password
from saas.env import Zone, env
from tenants.directory.commands import issue
from tenants.directory.models import BureauState, Cell, Command, DirectoryBureau
from tenants.directory.naming import check_bureau
from tenants.protocol import Kind

ADMINISTRATORS = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)
CELL_ZONES = (Zone.INTRANET, Zone.EXTRANET)
MOST_BUREAUS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """An administrator's first sign-in; the password is shown once and stored nowhere."""

    role: Role
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BureauRequest:
    """What was asked for: the bureau as it stands, a command per cell, and the three first sign-ins."""

    bureau: DirectoryBureau
    commands: tuple[Command, ...]
    sign_ins: tuple[SignIn, ...]


def host_of(code: str, zone: Zone) -> str:
    """The host name of a bureau in a zone."""
    return f"{code}.ext.{env.host_suffix}" if zone is Zone.EXTRANET else f"{code}.{env.host_suffix}"


def bureau_create(
    *,
    code: str,
    name: str,
    division_code: str,
    level: str,
    parent_code: str = "",
    plan: str = "",
    short_name: str = "",
    by: Actor,
) -> BureauRequest:
    """Order a bureau in one cell of each zone. A bureau whose making failed may be ordered again.

    Args:
        code: first label of its host names.
        name: full name.
        division_code: six digits, GB/T 2260.
        level: a `BureauLevel`.
        parent_code: the bureau above it, which must exist; empty for none.
        plan: the plan it is billed by.
        short_name: as lists show it; the full name when empty.
        by: who orders.

    Raises:
        Invalid: a field is wrong.
        Conflict: the code is taken.
        Unavailable: a zone has no cell with room, or Vault does not sign.
    """
    code, name = code.strip(), name.strip()
    check_bureau(code=code, name=name, division_code=division_code, level=level)
    if parent_code and not DirectoryBureau.objects.filter(code=parent_code).exists():
        message = _("没有代码为“%(code)s”的上级单位。") % {"code": parent_code}
        raise Invalid(message, code="bureau.invalid", fields={"parent_code": message})
    sign_ins = tuple(
        SignIn(role=role, username=role.value.replace("_", "-"), password=one_time_password())
        for role in ADMINISTRATORS
    )
    hashes = {sign_in.role.value: make_password(sign_in.password) for sign_in in sign_ins}
    values = {
        "name": name,
        "short_name": short_name or name[:50],
        "division_code": division_code,
        "level": level,
        "parent_code": parent_code,
        "plan": plan,
        "state": BureauState.CREATING,
    }
    with transaction.atomic():
        bureau = _enter(code, values)
        payload: dict[str, Any] = {
            "id": str(bureau.id),
            "code": code,
            "schema": bureau.schema_name,
            "administrator_hashes": hashes,
            **{key: str(value) for key, value in values.items() if key != "state"},
        }
        commands = tuple(issue(cell, Kind.CREATE, payload, bureau=bureau) for cell in _cells_for(bureau))
        record(Event.BUREAU_REQUESTED, by=by, target=Target("bureau", bureau.id, name), detail={"code": code})
    return BureauRequest(bureau=bureau, commands=commands, sign_ins=sign_ins)


def _enter(code: str, values: dict[str, str]) -> DirectoryBureau:
    bureau = DirectoryBureau.objects.select_for_update().filter(code=code).first()
    taken = Conflict(
        _("单位代码“%(code)s”已被使用。请换一个代码；如要修改已有单位，请在单位列表中打开它。") % {"code": code},
        code="bureau.exists",
        fields={"code": _("这个单位代码已被使用。")},
    )
    if bureau is None:
        try:
            with transaction.atomic():
                return DirectoryBureau.objects.create(code=code, schema_name=f"b_{secrets.token_hex(6)}", **values)
        except IntegrityError as error:
            raise taken from error
    if bureau.state != BureauState.FAILED:
        raise taken
    for attribute, value in values.items():
        setattr(bureau, attribute, value)
    bureau.save()
    return bureau


def _cells_for(bureau: DirectoryBureau) -> list[Cell]:
    """The cells that serve the bureau: those it is in, or in each zone the one with most room."""
    placed = list(Cell.objects.filter(commands__bureau=bureau, commands__kind=Kind.CREATE.value).distinct())
    if placed:
        return placed
    chosen = []
    for zone in CELL_ZONES:
        rooms = [(_bureaus_in(cell), str(cell.name), cell) for cell in Cell.objects.filter(zone=zone)]
        free = sorted(room[:2] for room in rooms if room[0] < MOST_BUREAUS)
        if not free:
            raise Unavailable(
                _("%(zone)s没有可用的单元：请先启动该域的代理进程（agent），或为其增加单元。")
                % {"zone": {Zone.INTRANET: _("内网"), Zone.EXTRANET: _("外网")}[zone]},
                code="cell.none",
            )
        chosen.append(next(room[2] for room in rooms if room[:2] == free[0]))
    return chosen


def _bureaus_in(cell: Cell) -> int:
    return Command.objects.filter(cell=cell, kind=Kind.CREATE.value).values("bureau").distinct().count()


def bureau_suspend(*, code: str, by: Actor) -> tuple[Command, ...]:
    """Order that a bureau is no longer served.

    Raises:
        NotFound: no such bureau.
        Conflict: it is not at work.
    """
    return _order(code, Kind.SUSPEND, wanted=BureauState.ACTIVE, by=by)


def bureau_resume(*, code: str, by: Actor) -> tuple[Command, ...]:
    """Order that a suspended bureau is served again.

    Raises:
        NotFound: no such bureau.
        Conflict: it is not suspended.
    """
    return _order(code, Kind.RESUME, wanted=BureauState.SUSPENDED, by=by)


@transaction.atomic
def _order(code: str, kind: Kind, *, wanted: BureauState, by: Actor) -> tuple[Command, ...]:
    bureau = DirectoryBureau.objects.select_for_update().filter(code=code).first()
    if bureau is None:
        raise NotFound(_("没有代码为“%(code)s”的单位。") % {"code": code})
    if bureau.state != wanted:
        raise Conflict(
            _("单位“%(name)s”现在是“%(state)s”状态，不能这样操作。")
            % {"name": bureau.name, "state": BureauState(bureau.state).label},
            code="bureau.state",
        )
    commands = tuple(issue(cell, kind, {"code": code}, bureau=bureau) for cell in _cells_for(bureau))
    record(Event.BUREAU_REQUESTED, by=by, target=Target("bureau", bureau.id, bureau.name), detail={"order": kind.value})
    return commands


@transaction.atomic
def bureaus_migrate(*, code: str = "", by: Actor) -> tuple[Command, ...]:
    """Order every cell, or the cells of one bureau, to bring schemas up to date.

    Raises:
        NotFound: no such bureau.
        Unavailable: no cell has ever reported.
    """
    bureau = None
    cells = list(Cell.objects.all())
    if code:
        bureau = DirectoryBureau.objects.filter(code=code).first()
        if bureau is None:
            raise NotFound(_("没有代码为“%(code)s”的单位。") % {"code": code})
        cells = _cells_for(bureau)
    if not cells:
        raise Unavailable(_("还没有单元连接到管理域。"), code="cell.none")
    target = Target("bureau", bureau.id, bureau.name) if bureau else Target("cloud", "all", _("全部单位"))
    record(Event.BUREAU_REQUESTED, by=by, target=target, detail={"order": Kind.MIGRATE.value})
    return tuple(issue(cell, Kind.MIGRATE, {"code": code}, bureau=bureau) for cell in cells)


@transaction.atomic
def job_retry(*, cell_id: str, job_id: int, by: Actor) -> Command:
    """Order a cell to put a failed job back into its queue.

    Raises:
        NotFound: no such cell.
    """
    cell = Cell.objects.filter(id=cell_id).first()
    if cell is None:
        raise NotFound(_("没有这个单元。"))
    record(Event.JOB_REPEATED, by=by, target=Target("job", str(job_id)), detail={"cell": str(cell)})
    return issue(cell, Kind.RETRY_JOB, {"job_id": job_id})

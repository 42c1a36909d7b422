"""Issues signed commands to cells and takes in what cells report about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from saas.core.actors import SYSTEM
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.keys import Algorithm, KeyName, sign
from tenants.directory.models import BureauState, Cell, Command, DirectoryBureau
from tenants.protocol import FINAL, CommandState, CommandText, Kind, command_digest

# A cell may be away for a while; after that somebody must decide anew.
LIFE = timedelta(hours=24)
ALGORITHM = Algorithm.ECDSA_P256_SHA256
ERROR_CHARACTERS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a cell says about a command."""

    command_id: UUID
    state: CommandState
    progress: int
    step: str
    result: Mapping[str, Any]
    error: str


def issue(cell: Cell, kind: Kind, payload: Mapping[str, Any], *, bureau: DirectoryBureau | None = None) -> Command:
    """Sign a command and leave it for the cell to pull; call inside a transaction.

    Raises:
        Unavailable: Vault is sealed or away; nothing was issued.
    """
    locked = Cell.objects.select_for_update().get(id=cell.id)
    locked.last_sequence += 1
    locked.save(update_fields=["last_sequence"])
    now = timezone.now()
    text = CommandText(
        id=uuid4(),
        cell=locked.cell_name,
        sequence=locked.last_sequence,
        kind=kind,
        payload=payload,
        issued_at=now,
        expires_at=now + LIFE,
    )
    words = text.canonical()
    return Command.objects.create(
        id=text.id,
        cell=locked,
        bureau=bureau,
        sequence=text.sequence,
        kind=kind.value,
        text=words,
        signature=sign(KeyName.commands(), command_digest(words), ALGORITHM),
        algorithm=ALGORITHM.value,
        issued_at=now,
        expires_at=text.expires_at,
    )


def waiting_for(cell: Cell) -> list[Command]:
    """The commands a cell has not finished, in the order they must be carried out."""
    finished = [state.value for state in FINAL]
    return list(Command.objects.filter(cell=cell).exclude(state__in=finished).order_by("sequence")[:20])


@transaction.atomic
def take_report(cell: Cell, report: Report) -> None:
    """Note how far a command is; a final state stays, whatever is reported later."""
    bureau_id = Command.objects.filter(id=report.command_id, cell=cell).values_list("bureau_id", flat=True).first()
    if bureau_id is not None:
        # The cells of a bureau answer at the same moment: the later one must see what the earlier one reported,
        # or neither finds all commands answered and the bureau stays as it was.
        DirectoryBureau.objects.select_for_update().get(id=bureau_id)
    command = (
        Command.objects.select_for_update(of=("self",))
        .select_related("bureau")
        .filter(id=report.command_id, cell=cell)
        .first()
    )
    if command is None or CommandState(command.state) in FINAL:
        return
    command.state = report.state.value
    command.progress = max(0, min(100, report.progress))
    command.step = report.step[:100]
    command.error = report.error[:ERROR_CHARACTERS]
    if report.state in FINAL:
        command.result = dict(report.result)
        command.finished_at = timezone.now()
        command.progress = 100 if report.state is CommandState.DONE else command.progress
    command.save()
    if report.state is CommandState.REFUSED:
        record(
            Event.COMMAND_REFUSED,
            by=SYSTEM,
            target=Target("command", command.id, command.kind),
            detail={"cell": str(cell), "reason": command.error[:200]},
        )
    if report.state in FINAL and command.bureau is not None:
        _settle(command.bureau, Kind(command.kind))


_REACHED = {
    Kind.CREATE: (BureauState.ACTIVE, Event.BUREAU_CREATED),
    Kind.SUSPEND: (BureauState.SUSPENDED, Event.BUREAU_SUSPENDED),
    Kind.RESUME: (BureauState.ACTIVE, Event.BUREAU_RESUMED),
}


def _settle(bureau: DirectoryBureau, kind: Kind) -> None:
    """When every cell has answered the last command of this kind, the bureau's state follows."""
    if kind not in _REACHED:
        return
    latest: dict[UUID, Command] = {}
    for command in Command.objects.filter(bureau=bureau, kind=kind.value).order_by("sequence"):
        latest[command.cell_id] = command
    states = {CommandState(command.state) for command in latest.values()}
    if not states <= FINAL:
        return
    state, event = _REACHED[kind]
    if states != {CommandState.DONE}:
        if kind is Kind.CREATE:
            DirectoryBureau.objects.filter(id=bureau.id).update(state=BureauState.FAILED)
        return
    DirectoryBureau.objects.filter(id=bureau.id).update(state=state)
    record(event, by=SYSTEM, target=Target("bureau", bureau.id, bureau.name))

"""The agent's second hand: report, pull, carry out one command at a time, tell facts; survives any outage."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import Max
from django.utils import timezone

from saas.core.actors import SYSTEM
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Unavailable, YunshuError
from saas.env import Zone
from tenants.agent import execution, facts
from tenants.agent.client import ManagementAway, ManagementClient
from tenants.agent.verification import CommandRefused, Verifier
from tenants.context import use_tenant
from tenants.database.base import OWNER_ALIAS
from tenants.models import AppliedCommand, Bureau, State
from tenants.protocol import COMMANDS_PATH, FACTS_PATH, CellName, CommandState, CommandText

logger = logging.getLogger(__name__)

PULL_SECONDS = 1.0
FACTS_SECONDS = 10.0
ERROR_CHARACTERS = 2000


@dataclass(slots=True)
class _Running:
    """The command being carried out, on a thread of its own so reports go on."""

    command: CommandText
    progress: int = 0
    step: str = ""
    thread: threading.Thread | None = None

    def tell(self, percent: int, step: str) -> None:
        self.progress, self.step = percent, step


@dataclass(slots=True)
class Agent:
    """One cell's agent. Outcomes are kept in the cell's database until management has heard of them."""

    cell: CellName = field(default_factory=lambda: CellName(Zone(settings.ZONE), settings.CELL))
    client: ManagementClient = field(init=False)
    verifier: Verifier = field(init=False)
    _running: _Running | None = None
    _facts_due: float = 0.0
    _away: bool = False
    _refused: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.client = ManagementClient(self.cell)
        self.verifier = Verifier(self.cell)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a command under way is finished first."""
        while not stop.is_set():
            try:
                self.tick()
                self._away = False
            except (ManagementAway, Unavailable, DatabaseError, psycopg.Error) as error:
                if not self._away:
                    logger.warning("the agent waits: %s", error)
                self._away = True
                connections.close_all()
            stop.wait(PULL_SECONDS)
        if self._running is not None and self._running.thread is not None:
            self._running.thread.join()
        connections.close_all()

    def tick(self) -> None:
        """One round: report, pull, start what is next, tell facts when due.

        Raises:
            ManagementAway: management does not answer.
            Unavailable: Vault does not sign.
        """
        reports: list[dict[str, Any]] = []
        running = self._running
        if running is not None:
            if running.thread is not None and not running.thread.is_alive():
                self._running = None
            else:
                reports.append(_report(running.command.id, CommandState.RUNNING, running.progress, running.step))
        answer = self.client.post(COMMANDS_PATH, {"reports": reports})
        self.take(answer.get("commands", []))
        if time.monotonic() >= self._facts_due:
            self._facts_due = time.monotonic() + FACTS_SECONDS
            self.client.post(FACTS_PATH, {"facts": facts.gather()})

    def take(self, commands: list[dict[str, Any]]) -> None:
        """Look at what management still waits for: answer what is done or refused, start the first that is neither.

        Args:
            commands: each with `text`, `signature` and `algorithm`, as management handed them out.
        """
        reports: list[dict[str, Any]] = []
        for given in commands:
            if self._running is not None:
                break
            try:
                command = self._verified(given, reports)
            except CommandRefused as refusal:
                reports.extend(self._refuse(given, refusal))
                continue
            if command is not None:
                self._start(command)
        if reports:
            self.client.post(COMMANDS_PATH, {"reports": reports})

    def _verified(self, given: dict[str, Any], reports: list[dict[str, Any]]) -> CommandText | None:
        """The command when it is to be carried out; a report instead when it already was."""
        text = str(given.get("text", ""))
        applied = self._applied(text)
        if applied is not None:
            state = CommandState.FAILED if applied.error else CommandState.DONE
            reports.append(_report(applied.id, state, 100, "", result=applied.result, error=applied.error))
            return None
        last = AppliedCommand.objects.using(OWNER_ALIAS).aggregate(last=Max("sequence"))["last"] or 0
        return self.verifier.check(
            text=text,
            signature=str(given.get("signature", "")),
            algorithm=str(given.get("algorithm", "")),
            last_sequence=last,
            now=timezone.now(),
        )

    @staticmethod
    def _applied(text: str) -> AppliedCommand | None:
        try:
            command = CommandText.parse(text)
        except ValueError:
            return None
        return AppliedCommand.objects.using(OWNER_ALIAS).filter(id=command.id).first()

    def _start(self, command: CommandText) -> None:
        running = _Running(command)
        running.thread = threading.Thread(target=self._carry_out, args=(running,), name=f"command-{command.kind}")
        self._running = running
        running.thread.start()

    def _carry_out(self, running: _Running) -> None:
        command = running.command
        result: dict[str, Any] = {}
        error = ""
        try:
            logger.info("command %s %s starts", command.kind, command.id)
            result = execution.execute(command, running.tell)
        except Unavailable as reason:
            # Not the command's fault: it stays with management and is tried again with the next pull.
            logger.warning("command %s waits: %s", command.id, reason)
            connections.close_all()
            return
        except YunshuError as reason:
            error = str(reason.message)
        except Exception as reason:
            logger.exception("command %s failed", command.id)
            error = f"{type(reason).__name__}: {reason}"
        try:
            AppliedCommand.objects.using(OWNER_ALIAS).create(
                id=command.id,
                sequence=command.sequence,
                kind=command.kind.value,
                result=result,
                error=error[:ERROR_CHARACTERS],
            )
        except DatabaseError:
            logger.exception("the outcome of %s was not kept; the command will be repeated", command.id)
        finally:
            connections.close_all()

    def _refuse(self, given: dict[str, Any], refusal: CommandRefused) -> list[dict[str, Any]]:
        """Note a refusal where it belongs: in the bureau's own trail when it names one, and with management."""
        logger.warning("a command was refused: %s", refusal)
        try:
            command = refusal.command or CommandText.parse(str(given.get("text", "")))
        except ValueError:
            return []
        if command.id not in self._refused:
            self._keep_in_trail(command, refusal)
            self._refused.add(command.id)
        # Told every time: management asks again for as long as it has not heard.
        if command.cell != self.cell:
            return []
        return [_report(command.id, CommandState.REFUSED, 0, "", error=str(refusal))]

    @staticmethod
    def _keep_in_trail(command: CommandText, refusal: CommandRefused) -> None:
        bureau = Bureau.objects.using(OWNER_ALIAS).filter(code=str(command.payload.get("code", ""))).first()
        if bureau is not None and bureau.state != State.CREATING:
            with use_tenant(bureau):
                record(
                    Event.COMMAND_REFUSED,
                    by=SYSTEM,
                    target=Target("command", command.id, command.kind.value),
                    detail={"reason": str(refusal)},
                )


def _report(
    command_id: UUID,
    state: CommandState,
    progress: int,
    step: str,
    *,
    result: dict[str, Any] | None = None,
    error: str = "",
) -> dict[str, Any]:
    return {
        "id": str(command_id),
        "state": state.value,
        "progress": progress,
        "step": step,
        "result": result or {},
        "error": error,
    }

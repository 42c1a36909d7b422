"""``manage.py tenant``: bureaus from the command line, through the same signed commands as the console."""

from __future__ import annotations

import getpass
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from saas.core.actors import Actor
from saas.core.errors import YunshuError
from saas.env import Zone
from tenants.directory import selectors, services
from tenants.directory.models import BureauLevel
from tenants.directory.models import Command as CellCommand
from tenants.protocol import FINAL, CommandState

POLL_SECONDS = 0.2
DONE, FAILED, REFUSED, LATE = 0, 1, 2, 3


class Command(BaseCommand):
    help = (
        "Bureaus: create CODE NAME, list, suspend CODE, resume CODE, migrate [CODE]. "
        "Exit status: 0 done, 1 a cell failed, 2 refused (wrong input or state), 3 no answer in time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a bureau and print its three first sign-ins")
        create.add_argument("code", help="first label of its host names, e.g. fgw")
        create.add_argument("name", help="full name, e.g. 某市发展和改革委员会")
        create.add_argument("--division", default="110101", help="six-digit code of its administrative division")
        create.add_argument("--level", default=BureauLevel.CITY.value, choices=BureauLevel.values)
        create.add_argument("--parent", default="", help="code of the bureau above it")
        create.add_argument("--plan", default="", help="the plan it is billed by")
        actions.add_parser("list", help="one bureau a line: code, state, name, host")
        for action, words in (("suspend", "stop serving a bureau"), ("resume", "serve it again")):
            actions.add_parser(action, help=words).add_argument("code")
        migrate = actions.add_parser("migrate", help="bring schemas up to date")
        migrate.add_argument("code", nargs="?", default="")
        for action in ("create", "suspend", "resume", "migrate"):
            actions.choices[action].add_argument("--timeout", type=float, default=300, help="seconds to wait")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        by = Actor(user_id=None, user_name=f"命令行（{getpass.getuser()}）")
        try:
            status = getattr(self, f"_{action}")(by, options)
        except YunshuError as refusal:
            self.stderr.write(str(refusal.message))
            status = REFUSED if refusal.status < 500 else FAILED
        if status:
            sys.exit(status)

    def _list(self, _by: Actor, _options: dict[str, Any]) -> int:
        for bureau in selectors.bureaus():
            host = services.host_of(bureau.code, Zone.INTRANET)
            self.stdout.write(f"{bureau.code}\t{bureau.state}\t{bureau.name}\t{host}")
        return DONE

    def _create(self, by: Actor, options: dict[str, Any]) -> int:
        request = services.bureau_create(
            code=options["code"],
            name=options["name"],
            division_code=options["division"],
            level=options["level"],
            parent_code=options["parent"],
            plan=options["plan"],
            by=by,
        )
        status = self._wait(request.commands, options["timeout"])
        if status == DONE:
            self.stdout.write(f"{options['code']} ready")
            for command in CellCommand.objects.select_related("cell").filter(
                id__in=[command.id for command in request.commands]
            ):
                self.stdout.write(f"  {command.cell.zone}: {' '.join(command.result.get('addresses', []))}")
            for sign_in in request.sign_ins:
                self.stdout.write(f"  {sign_in.username}\t{sign_in.password}")
        return status

    def _suspend(self, by: Actor, options: dict[str, Any]) -> int:
        return self._wait(services.bureau_suspend(code=options["code"], by=by), options["timeout"])

    def _resume(self, by: Actor, options: dict[str, Any]) -> int:
        return self._wait(services.bureau_resume(code=options["code"], by=by), options["timeout"])

    def _migrate(self, by: Actor, options: dict[str, Any]) -> int:
        return self._wait(services.bureaus_migrate(code=options["code"], by=by), options["timeout"])

    def _wait(self, commands: Sequence[CellCommand], timeout: float) -> int:
        """Show progress until every cell has answered."""
        until = time.monotonic() + timeout
        ids = [command.id for command in commands]
        shown: dict[UUID, str] = {}
        while True:
            current = list(CellCommand.objects.select_related("cell").filter(id__in=ids).order_by("cell__zone"))
            for command in current:
                line = f"{command.cell}: {command.state} {command.progress}% {command.step}".rstrip()
                if shown.get(command.id) != line:
                    self.stderr.write(line)
                    shown[command.id] = line
            if all(CommandState(command.state) in FINAL for command in current):
                return self._verdict(current)
            if time.monotonic() > until:
                self.stderr.write(
                    f"no answer within {timeout:.0f} s: is the agent of each cell running? "
                    "The commands stay and are carried out when it is."
                )
                return LATE
            time.sleep(POLL_SECONDS)

    def _verdict(self, commands: Sequence[CellCommand]) -> int:
        status = DONE
        for command in commands:
            failed = command.result.get("failed", [])
            for item in failed:
                self.stderr.write(f"{command.cell}: {item['code']}: {item['error']}")
            if command.state != CommandState.DONE.value:
                self.stderr.write(f"{command.cell}: {command.error}")
            if failed or command.state != CommandState.DONE.value:
                status = FAILED
        return status

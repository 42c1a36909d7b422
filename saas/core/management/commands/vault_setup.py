"""Prepares a Vault for the product with a bootstrap token; run it again after every upgrade."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from saas.core.keys.setup import SetupFailed, VaultSetup, read_credentials, write_credentials
from saas.env import Zone, env


class Command(BaseCommand):
    help = "Mount engines, write policies and make AppRoles (token in VAULT_TOKEN); can be repeated."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--zones", default=",".join(Zone), help="security domains, comma-separated (all)")
        parser.add_argument("--cell", default="", help="the cell whose keys are made (this process's)")
        parser.add_argument("--credentials-file", type=Path, help="where to keep role and secret ids (mode 0600)")

    def handle(self, *args: Any, **options: Any) -> None:
        token = os.environ.get("VAULT_TOKEN", "")
        if not token:
            raise CommandError("VAULT_TOKEN 未设置 / VAULT_TOKEN is not set: a token that may mount and write policies")
        try:
            zones = [Zone(name) for name in options["zones"].split(",") if name]
        except ValueError:
            raise CommandError("--zones: intranet, extranet, management") from None
        path: Path | None = options["credentials_file"]
        known = read_credentials(path) if path else {}
        try:
            setup = VaultSetup(address=env.vault_addr, token=token)
            done = setup.apply(zones=zones, cell=options["cell"] or settings.CELL, known=known)
        except SetupFailed as failure:
            raise CommandError(str(failure)) from None
        if path:
            write_credentials(path, done)
            self.stdout.write(f"密钥服务已就绪 / Vault is ready: {len(done.approles)} AppRoles → {path}")
        else:
            self.stdout.write(done.as_json())

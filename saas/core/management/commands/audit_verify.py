"""Proves that the audit trail is whole: chain, records and signed heads."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from saas.core.audit import bundle, trails
from saas.core.audit.bundle import NotABundle, Opening
from saas.core.audit.verify import PublicKeys, Report
from saas.core.errors import YunshuError
from saas.core.keys import KeyName
from saas.env import Zone


class Command(BaseCommand):
    help = "Verify audit trails; exits 1 when one is wrong. --export writes a file that --offline checks anywhere."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", default="", help="a bureau's code (all)")
        parser.add_argument("--export", type=Path, help="also write the trail of --tenant to this file")
        parser.add_argument("--offline", type=Path, help="check an exported file, without database and Vault")
        parser.add_argument("--public-key", type=Path, help="PEM to believe instead of the keys in the file")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["offline"]:
            sound = self._offline(options["offline"], options["public_key"])
        else:
            if "owner" not in connections.databases:
                raise CommandError("OWNER_DATABASE_URL 未设置 / is not set: trails are read as their owner")
            try:
                sound = self._online(options["tenant"], options["export"])
            except YunshuError as error:
                raise CommandError(str(error)) from None
        if not sound:
            raise SystemExit(1)

    def _online(self, code: str, export: Path | None) -> bool:
        known = trails.schemas_by_code("owner")
        if code and code not in known:
            raise CommandError(f"没有单位 / no bureau: {code}")
        if export and not code:
            raise CommandError("--export 需要 --tenant / --export needs --tenant")
        keys, marks = trails.believed_keys(), trails.known_marks()
        sound = True
        for each in [code] if code else list(known):
            schema = known[each]
            sound = self._say(each, trails.verify_schema(schema, "owner", keys, marks.get(schema))) and sound
            if export:
                opening = Opening(trails.trail_of(schema), keys)
                heads, entries = trails.heads_of(schema, "owner"), trails.entries_of(schema, "owner")
                count = bundle.write(export, opening=opening, heads=heads, entries=entries)
                self.stdout.write(f"{each}: {count} → {export}")
        return sound

    def _offline(self, path: Path, public_key: Path | None) -> bool:
        try:
            opening, report = bundle.verify_file(path, trusted=self._trusted(path, public_key))
        except NotABundle:
            raise CommandError(f"不是审计导出文件 / not an exported trail: {path}") from None
        if public_key is None:
            for name, versions in opening.keys.items():
                for version, pem in versions.items():
                    digest = hashlib.sha256(pem.strip().encode()).hexdigest()
                    self.stdout.write(
                        f"{name} v{version} sha256:{digest} (文件自带，请核对 / from the file: compare it)"
                    )
        return self._say(f"{opening.trail.schema}@{opening.trail.zone}", report)

    def _trusted(self, path: Path, public_key: Path | None) -> PublicKeys | None:
        if public_key is None:
            return None
        # Any key the file names is believed to be this one; a forged name or version gains nothing.
        opening, _report = bundle.verify_file(path)
        pem = public_key.read_text("ascii")
        name = KeyName.audit_head(Zone(opening.trail.zone), opening.trail.cell).text
        return {name: dict.fromkeys(opening.keys.get(name, {1: ""}), pem)}

    def _say(self, code: str, report: Report) -> bool:
        word = "完好 / sound" if not report.findings else f"异常 / WRONG: {len(report.findings)}"
        signed = report.last_signed_at.isoformat(timespec="seconds") if report.last_signed_at else "-"
        self.stdout.write(
            f"{code}: {word}; links={report.links} heads={report.heads} "
            f"signed_up_to={report.signed_up_to} signed_at={signed}"
        )
        for finding in report.findings:
            self.stdout.write(f"  {finding.fault}: {finding.place}")
        return not report.findings

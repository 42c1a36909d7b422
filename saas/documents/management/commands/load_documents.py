"""Brings a bureau's past documents into documents and archive."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from saas.core.actors import SYSTEM
from saas.core.errors import NotFound, Unavailable
from saas.documents.loading import documents_load
from tenants.context import use_tenant
from tenants.selectors import bureau_by_code


class Command(BaseCommand):
    help = "Load past documents (one JSON object a line) into a bureau; exits 0 all, 3 some refused, 1 none loaded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="the bureau's code, as `manage.py tenant list` prints it")
        parser.add_argument("file", type=Path, help="a .jsonl file")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            bureau = bureau_by_code(options["tenant"])
        except NotFound as error:
            raise CommandError(str(error)) from None
        try:
            # Line feeds alone part lines: a text may hold other separators.
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            message = f"{path}: {error.strerror}"
            raise CommandError(message) from None
        try:
            with use_tenant(bureau):
                report = documents_load(lines=lines, by=SYSTEM)
        except Unavailable as error:
            message = f"{error}（已完成的各行保留，可重新执行）"
            raise CommandError(message) from None
        for number, findings in sorted(report.refused.items()):
            for finding in findings:
                self.stderr.write(
                    f"第 {number} 行 / line {number}: {finding.field}: {finding.message}（未载入 / refused）"
                )
        for number, findings in sorted(report.unclear.items()):
            for finding in findings:
                self.stdout.write(f"第 {number} 行 / line {number}: {finding.field}: {finding.message}")
        self.stdout.write(
            f"新增 {report.added}，已有 {report.unchanged}，拒绝 {len(report.refused)}，待核对 {len(report.unclear)}"
        )
        if not report.loaded:
            sys.exit(1)
        if report.refused:
            sys.exit(3)

"""Brings a file of regulations into one bureau's base."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from saas.core.actors import SYSTEM
from saas.core.errors import NotFound
from saas.regulations.services import regulations_load
from tenants.context import use_tenant
from tenants.selectors import bureau_by_code

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "regulations.jsonl"


class Command(BaseCommand):
    help = "Load regulations (one JSON object a line) into a bureau; exits 0 all, 3 some refused, 1 none loaded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="the bureau's code, as `manage.py tenant list` prints it")
        parser.add_argument("file", nargs="?", type=Path, default=SAMPLE, help="a .jsonl file; default: the sample")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            bureau = bureau_by_code(options["tenant"])
        except NotFound as error:
            raise CommandError(str(error)) from None
        try:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            message = f"{path}: 不是 UTF-8 编码 / not UTF-8 (byte {error.start})"
            raise CommandError(message) from None
        except OSError as error:
            message = f"{path}: {error.strerror}"
            raise CommandError(message) from None
        with use_tenant(bureau):
            report = regulations_load(lines=lines, by=SYSTEM)
        for number, problems in report.refused.items():
            for problem in problems:
                self.stderr.write(f"第 {number} 行 / line {number}: {problem.field}: {problem.reason}")
        self.stdout.write(
            f"新增 {report.added}，更新 {report.updated}，未变 {report.unchanged}，"
            f"拒绝 {len(report.refused)}（共 {report.articles} 条条文）"
        )
        if not report.loaded:
            sys.exit(1)
        if report.refused:
            sys.exit(3)

"""Fills the running stack with three bureaus at work; every step may be repeated."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from saas.core.errors import NotFound
from saas.portal.demo import administrators, scenes, stage
from saas.portal.demo.cast import BUREAUS, BureauPlan
from saas.portal.demo.work import Desk
from tenants.context import outside_tenants, use_tenant
from tenants.selectors import bureau_by_code

DIVISION = {"zfb": "330105", "jxj": "330105", "fgj": "330105"}
DOCUMENTS = settings.BASE_DIR / "tests" / "data" / "official_documents.jsonl"
_PATIENCE_SECONDS = 180
# What names the process's own zone; a command of another zone reads the stack's settings for that one anew.
_OWN = ("DATABASE_URL", "OWNER_DATABASE_URL", "SECRET_KEY", "VAULT_ADDR", "VAULT_ROLE_ID", "VAULT_SECRET_ID")
_OWN_FILES = ("FILES_ROOT", "RUN_FOLDER", "PUBLIC_PORT", "METRICS_PORT", "PROCESS")


class Command(BaseCommand):
    help = "Make the demonstration: bureaus, people, flows, seals, real documents, work in progress."

    def handle(self, **options: object) -> None:
        demo = administrators.load()
        self._in_zone("management", "demo_accounts")
        for plan in BUREAUS:
            self._bureau(plan)
        self._in_zone("extranet", "demo_accounts")
        administrators.make_ready(demo)
        for plan in BUREAUS:
            with use_tenant(bureau_by_code(plan.code)):
                self._say(f"{plan.name}：组织机构、流程、文号簿、印章 / organisation, flows, books, seal")
                stage.set_up(plan, password=demo.password)
        for plan in BUREAUS:
            self._say(f"{plan.name}：规章与历史公文 / regulations and past documents")
            call_command("load_regulations", tenant=plan.code, stdout=self.stderr)
            call_command("load_documents", DOCUMENTS, tenant=plan.code, stdout=self.stderr)
        self._settle()
        self._say("在办公文 / work in progress")
        desks = {plan.code: Desk(plan, self._settle) for plan in BUREAUS}
        scenes.play(desks)
        self._settle()

    def _say(self, text: str) -> None:
        self.stderr.write(text)

    def _bureau(self, plan: BureauPlan) -> None:
        try:
            bureau_by_code(plan.code)
        except NotFound:
            self._say(f"{plan.name}：开通 / onboarding")
            arguments = ("create", plan.code, plan.name, "--division", DIVISION[plan.code], "--level", "city")
            self._in_zone("management", "tenant", *arguments)

    def _in_zone(self, zone: str, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in (*_OWN, *_OWN_FILES)}
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
        done = subprocess.run(command, env={**environment, "ZONE": zone}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CommandError(f"{' '.join(arguments)} ({zone}): {done.stderr[-2000:]}")

    def _settle(self) -> None:
        """Wait until the workers have nothing left to do."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            with outside_tenants(), connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FILTER (WHERE status = 'failed'), "
                    "count(*) FILTER (WHERE status IN ('todo', 'doing') AND queue_name <> 'periodic') "
                    "FROM cell.procrastinate_jobs "
                    "WHERE scheduled_at IS NULL OR scheduled_at <= now() + interval '1 min'"
                )
                failed, waiting = cursor.fetchone()
            if failed:
                raise CommandError(f"{failed} jobs failed; see: manage.py jobs --tenant CODE")
            if not waiting:
                return
            time.sleep(0.2)
        raise CommandError("the workers did not finish in time; see .yunshu/log/jobs-intranet.log")

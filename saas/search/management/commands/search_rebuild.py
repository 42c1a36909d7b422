"""Cuts the rows of an older dictionary again, bureau by bureau, in small transactions."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from saas.core.errors import NotFound
from saas.search.services import rebuild_outdated
from tenants.context import use_tenant
from tenants.selectors import active_bureaus, bureau_by_code


class Command(BaseCommand):
    help = "Rebuild search rows whose words come from an older dictionary; all bureaus of the cell, or --tenant CODE."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", default="", help="only this bureau")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            bureaus = [bureau_by_code(options["tenant"])] if options["tenant"] else active_bureaus()
        except NotFound as error:
            raise CommandError(str(error)) from None
        for ref in bureaus:
            done = 0
            with use_tenant(ref):
                while True:
                    with transaction.atomic():
                        batch = rebuild_outdated()
                    if not batch:
                        break
                    done += batch
            self.stdout.write(f"{ref.code}\t{done}")

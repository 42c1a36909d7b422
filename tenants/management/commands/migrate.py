"""``manage.py migrate``: what the zone's bureaus share, as the owner; bureaus are migrated by ``tenant migrate``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db.migrations.autodetector import MigrationAutodetector

from tenants.provisioning import shared


class Command(BaseCommand):
    help = "Brings the zone's shared tables and grants up to date (bureaus: manage.py tenant migrate)."
    requires_system_checks = ()
    # Django's check compares it with that of makemigrations.
    autodetector = MigrationAutodetector

    def handle(self, *args: Any, **options: Any) -> None:
        shared.prepare()
        self.stdout.write("shared tables and grants are up to date")

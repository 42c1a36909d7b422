"""``manage.py migrate``: what the zone's bureaus share, as the owner; bureaus are migrated by ``tenant migrate``."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from tenants.database.base import OWNER_ALIAS
from tenants.provisioning import shared


class Command(Migrate):
    help = "Brings the zone's shared tables and grants up to date (bureaus: manage.py tenant migrate)."

    def handle(self, *args: Any, **options: Any) -> None:
        options["database"] = OWNER_ALIAS
        super().handle(*args, **options)
        shared.apply_grants()

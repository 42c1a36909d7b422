"""Writes the English catalogue from `saas/locale/parts/*.json` and the texts found in the sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from saas.portal import translations


class Command(BaseCommand):
    help = "Build saas/locale/en/LC_MESSAGES/django.po and .mo; name texts that have no English."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="exit with 1 when a text has no English")

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.BASE_DIR)
        joined = translations.catalogue(root)
        folder = root / "saas" / "locale" / "en" / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "django.po").write_text(translations.po(joined), encoding="utf-8")
        (folder / "django.mo").write_bytes(translations.mo(joined))
        for message in joined.missing:
            self.stdout.write(f"no English: {message.key}  ({', '.join(sorted(message.places))})")
        for conflict in joined.conflicts:
            self.stdout.write(f"said otherwise in an earlier part, which holds: {conflict}")
        for key in translations.differing_placeholders(joined):
            self.stdout.write(f"other placeholders than the Chinese: {key}")
        self.stdout.write(
            f"{len(joined.messages)} texts, {len(joined.missing)} without English, {len(joined.unused)} unused in parts"
        )
        if options["check"] and joined.missing:
            raise CommandError("translations are not complete")

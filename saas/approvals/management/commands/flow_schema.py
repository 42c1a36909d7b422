"""Prints the JSON Schema of a flow's definition; ``flow.schema.json`` beside the reader is its copy."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from saas.approvals.definition.schema import schema_text


class Command(BaseCommand):
    help = "Print the JSON Schema of a flow's definition."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(schema_text(), ending="")

"""Brings the test run's empty database to its first state: migrated, with the bureaus alpha and beta."""

from __future__ import annotations

import os

import django

BUREAUS = (("alpha", "甲市人民政府办公室"), ("beta", "乙市发展和改革局"))


def build() -> None:
    """Migrate what the cell shares; create the two bureaus through provisioning, as the agent does."""
    from django.core.management import call_command

    from saas.env import Zone, env

    call_command("migrate", verbosity=0)
    if env.zone is Zone.MANAGEMENT:
        return
    from tests.bureaus import create_bureau

    for code, name in BUREAUS:
        create_bureau(code=code, name=name)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
    django.setup()
    build()

"""Makes an account of the management zone with its role, for the first person and after a loss."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from saas.accounts.policies import ROLES_OF_ZONE
from saas.accounts.services import role_grant, user_create
from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.errors import YunshuError
from saas.env import Zone


class Command(BaseCommand):
    help = "Make an account of the management zone: create_platform_user USERNAME NAME ROLE"

    def add_arguments(self, parser: CommandParser) -> None:
        roles = [role.value for role in ROLES_OF_ZONE[Zone.MANAGEMENT]]
        parser.add_argument("username", help="staff number or pinyin")
        parser.add_argument("name", help="the person's name")
        parser.add_argument("role", choices=roles, metavar="ROLE", help=f"one of {', '.join(roles)}")

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.ZONE is not Zone.MANAGEMENT:
            message = "platform accounts live in the management zone: run with ZONE=management"
            raise CommandError(message)
        try:
            with transaction.atomic():
                issued = user_create(username=options["username"], name=options["name"], by=SYSTEM)
                role_grant(user_id=issued.user.pk, role=Role(options["role"]), by=SYSTEM)
        except YunshuError as refusal:
            raise CommandError(str(refusal.message)) from refusal
        self.stdout.write(f"{issued.user.username} {issued.password}")

"""Prints the six digits an administrator of the demonstration is asked for now."""

from django.core.management.base import BaseCommand

from saas.portal.demo import administrators


class Command(BaseCommand):
    help = "Print the administrators' current authenticator code."

    def handle(self, **options: object) -> None:
        self.stdout.write(administrators.load().code())

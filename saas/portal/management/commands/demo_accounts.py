"""Readies the demonstration's administrators of one zone; `manage.py demo` runs it in each."""

from django.core.management.base import BaseCommand

from saas.portal.demo import administrators


class Command(BaseCommand):
    help = "Give the administrators of this process's zone the demonstration's password and authenticator."

    def handle(self, **options: object) -> None:
        administrators.make_ready(administrators.load())

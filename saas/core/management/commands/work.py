"""Runs the job worker of this process's zone and cell."""

import asyncio
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from saas.core import metrics
from saas.core.jobs.worker import work


class Command(BaseCommand):
    help = "Run background jobs until SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concurrency", type=int, default=4, help="jobs at a time")

    def handle(self, *, concurrency: int, **options: object) -> None:
        metrics.serve()
        asyncio.run(work(concurrency=concurrency))

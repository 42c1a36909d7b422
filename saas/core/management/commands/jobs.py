"""Lists and repeats failed jobs of one bureau."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from saas.core.actors import SYSTEM
from saas.core.errors import YunshuError
from saas.core.jobs.services import failed_jobs, job_repeat
from saas.core.tenancy import directory


class Command(BaseCommand):
    help = "Failed jobs: `jobs --tenant CODE` lists them, `jobs --tenant CODE --repeat ID` runs one again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="the bureau's code")
        parser.add_argument("--repeat", type=int, default=0, help="id of a failed job")

    def handle(self, *, tenant: str, repeat: int, **options: object) -> None:
        ref = next((item for item in directory().active() if item.code == tenant), None)
        if ref is None:
            raise CommandError(f"没有代码为 {tenant} 的在用单位 / no active bureau {tenant}")
        with directory().activate(ref.schema):
            try:
                if repeat:
                    job_repeat(job_id=repeat, by=SYSTEM)
                for job in failed_jobs():
                    self.stdout.write(f"{job.id}\t{job.task_name}\t{job.attempts}\t{job.last_error}")
            except YunshuError as error:
                raise CommandError(str(error)) from error

"""Two cells that answer at the same moment settle the bureau all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from saas.core.actors import Actor
from saas.env import Zone
from tenants.directory import services
from tenants.directory.commands import Report, take_report
from tenants.directory.models import BureauState, Cell, Command, DirectoryBureau
from tenants.protocol import CommandState

CODE = "atonce"


@pytest.fixture
def commands(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Command]]:
    """A bureau ordered in two cells, committed; gone after the test."""
    with django_db_blocker.unblock():
        now = timezone.now()
        cells = [Cell.objects.create(zone=z.value, name="at-once", last_seen_at=now) for z in services.CELL_ZONES]
        try:
            request = services.bureau_create(
                code=CODE,
                name="云州市同时局",
                division_code="330100",
                level="city",
                by=Actor(user_id=None, user_name="运维"),
            )
            yield list(request.commands)
        finally:
            Command.objects.filter(cell__in=cells).delete()
            DirectoryBureau.objects.filter(code=CODE).delete()
            Cell.objects.filter(id__in=[cell.id for cell in cells]).delete()
            connection.close()


def _done(command: Command) -> Report:
    return Report(command_id=command.id, state=CommandState.DONE, progress=100, step="", result={}, error="")


def test_the_later_of_two_reports_sees_the_earlier(commands: list[Command]) -> None:
    first_written, may_commit = threading.Event(), threading.Event()

    def first() -> None:
        try:
            with transaction.atomic():
                take_report(commands[0].cell, _done(commands[0]))
                first_written.set()
                assert may_commit.wait(30)
        finally:
            connection.close()

    def second() -> None:
        try:
            take_report(commands[1].cell, _done(commands[1]))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        earlier = pool.submit(first)
        assert first_written.wait(30)
        later = pool.submit(second)
        # Unless it waits for the earlier one it has ended by now.
        with pytest.raises(TimeoutError):
            later.result(timeout=0.5)
        may_commit.set()
        earlier.result(30)
        later.result(30)
    assert {Zone(command.cell.zone) for command in commands} == set(services.CELL_ZONES)
    assert DirectoryBureau.objects.get(code=CODE).state == BureauState.ACTIVE

"""Brings a year's holiday notice into the calendar: from the library, or from a file when the library is late."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction

from saas.core import calendar
from saas.core.cell.holidays import SOURCE, Days, days_of


class Command(BaseCommand):
    help = "Load a year's holidays and exchanged working days into the calendar limits are counted by."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("year", type=int)
        parser.add_argument("--file", type=Path, help="CSV of day,works (0/1),label in place of the library")

    def handle(self, *args: Any, year: int, file: Path | None, **options: Any) -> None:
        if "owner" not in connections.databases:
            raise CommandError("OWNER_DATABASE_URL 未设置 / is not set: the calendar is written as its owner")
        days = _from_file(file, year) if file else _from_library(year)
        source = file.name if file else SOURCE
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            cursor.execute("DELETE FROM cell.calendar_day WHERE extract(year FROM day) = %s", [year])
            cursor.execute(
                "INSERT INTO cell.calendar_year VALUES (%s, %s) "
                "ON CONFLICT (year) DO UPDATE SET source = excluded.source",
                [year, source],
            )
            cursor.executemany(
                "INSERT INTO cell.calendar_day VALUES (%s, %s, %s)",
                [(day, works, label) for day, (works, label) in sorted(days.items())],
            )
        calendar.forget()
        self.stdout.write(f"{year}: {len(days)} ({source})")


def _from_library(year: int) -> Days:
    days = days_of(year)
    if days is None:
        raise CommandError(f"{year} 年的放假安排不在日历库里 / is not in the library: give --file")
    return days


def _from_file(file: Path, year: int) -> Days:
    days: Days = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.reader(lines):
                day = date.fromisoformat(row[0])
                if day.year != year or row[1] not in {"0", "1"}:
                    raise CommandError(f"{file.name}: {','.join(row)}")
                days[day] = (row[1] == "1", row[2] if len(row) > 2 else "")
    except (OSError, ValueError, IndexError) as error:
        raise CommandError(f"{file.name}: {error}") from error
    return days

"""Working days and hours in China, by which limits are counted; years without a published calendar say so.

The holiday calendar stands in the database (schema ``cell``), seeded from the library ``chinesecalendar``.
"""

from __future__ import annotations

import time as clock
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

CHINA = ZoneInfo("Asia/Shanghai")
# 机关作息: the hours in which a limit runs.
HOURS = ((time(8, 30), time(12, 0)), (time(14, 0), time(17, 30)))
MINUTES_A_DAY = 420
_END = HOURS[-1][1]
_LONGEST_WALK = 4000
_KEPT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Holidays:
    """Known years, weekdays that are off, weekends that are worked."""

    years: frozenset[int]
    off: frozenset[date]
    worked: frozenset[date]


_read: list[tuple[float, Holidays]] = []


def holidays() -> Holidays:
    """The calendar as the database has it; read again after ten minutes."""
    if not _read or clock.monotonic() - _read[-1][0] > _KEPT_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute("SELECT years, off, worked FROM cell.calendar()")
            years, off, worked = cursor.fetchone() or ((), (), ())
        _read[:] = [(clock.monotonic(), Holidays(frozenset(years), frozenset(off), frozenset(worked)))]
    return _read[-1][1]


def forget() -> None:
    """Read the calendar anew when next asked: it has been changed."""
    _read.clear()


def is_known(year: int) -> bool:
    """Whether the State Council's holiday notice for `year` is in the calendar; else weekends alone are off."""
    return year in holidays().years


def is_workday(day: date) -> bool:
    """Whether offices work on `day`, with holidays and the days worked in exchange (调休)."""
    known = holidays()
    return day in known.worked or (day.weekday() < 5 and day not in known.off)


def working_minutes_between(start: datetime, end: datetime) -> int:
    """Minutes of working time from one moment to a later one; 0 when `end` is not later."""
    at, until = start.astimezone(CHINA), end.astimezone(CHINA)
    minutes = 0.0
    day = at.date()
    while day <= until.date() and (day - at.date()).days < _LONGEST_WALK:
        if is_workday(day):
            for opens, closes in HOURS:
                begin = max(at, datetime.combine(day, opens, CHINA))
                stop = min(until, datetime.combine(day, closes, CHINA))
                minutes += max((stop - begin).total_seconds(), 0) / 60
        day += timedelta(days=1)
    return int(minutes)


def working_days_between(start: date, end: date) -> int:
    """Working days after `start` up to and with `end`; negative when `end` is earlier."""
    if end < start:
        return -working_days_between(end, start)
    span = min((end - start).days, _LONGEST_WALK)
    return sum(1 for n in range(1, span + 1) if is_workday(start + timedelta(days=n)))


def end_of_working_day(since: datetime, days: int) -> datetime:
    """The close of the `days`-th working day after `since`'s (0: of the day itself, or the next working one)."""
    day = since.astimezone(CHINA).date()
    if days == 0:
        while not is_workday(day):
            day += timedelta(days=1)
        return datetime.combine(day, _END, CHINA)
    left = days
    while left:
        day += timedelta(days=1)
        left -= is_workday(day)
    return datetime.combine(day, _END, CHINA)


def add_working_minutes(since: datetime, minutes: int) -> datetime:
    """The moment at which `minutes` of working time have passed since `since`."""
    at = since.astimezone(CHINA)
    left = timedelta(minutes=minutes)
    day = at.date()
    for _ in range(_LONGEST_WALK):
        if is_workday(day):
            for opens, closes in HOURS:
                begin = max(at, datetime.combine(day, opens, CHINA))
                end = datetime.combine(day, closes, CHINA)
                if begin >= end:
                    continue
                if left <= end - begin:
                    return begin + left
                left -= end - begin
        day += timedelta(days=1)
    return datetime.combine(day, _END, CHINA)

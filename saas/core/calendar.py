"""Working days and hours in China, by which limits are counted; years without a published calendar say so."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar

CHINA = ZoneInfo("Asia/Shanghai")
# 机关作息: the hours in which a limit runs.
HOURS = ((time(8, 30), time(12, 0)), (time(14, 0), time(17, 30)))
MINUTES_A_DAY = 420
_END = HOURS[-1][1]
_LONGEST_WALK = 4000


@lru_cache(maxsize=64)
def is_known(year: int) -> bool:
    """Whether the State Council's holiday notice for `year` is in the calendar; else weekends alone are off."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@lru_cache(maxsize=4096)
def is_workday(day: date) -> bool:
    """Whether offices work on `day`, with holidays and the days worked in exchange (调休)."""
    if not is_known(day.year):
        return day.weekday() < 5
    return bool(chinese_calendar.is_workday(day))


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

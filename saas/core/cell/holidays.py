"""What the library ``chinesecalendar`` knows of a year, as the calendar keeps it."""

from __future__ import annotations

from datetime import date

import chinese_calendar

Days = dict[date, tuple[bool, str]]
SOURCE = "chinesecalendar"


def days_of(year: int) -> Days | None:
    """Days that differ from their weekday: a weekday off (False) or a weekend worked (True), each with its label.

    Returns:
        None when the library does not know the year.
    """
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return None
    off = {day: (False, str(label)) for day, label in chinese_calendar.holidays.items() if day.weekday() < 5}
    worked = {day: (True, str(label)) for day, label in chinese_calendar.workdays.items() if day.weekday() >= 5}
    return {day: kept for day, kept in sorted({**off, **worked}.items()) if day.year == year}

"""The holiday calendar all bureaus of a cell count their limits by: known years, and the days that differ in them."""

from django.db import migrations

from saas.core.cell import holidays
from saas.core.cell.sql import app_role


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _seed() -> str:
    """What the library knows; later years are brought in by ``manage.py calendar_load``."""
    known = {year: days for year in range(2020, 2100) if (days := holidays.days_of(year)) is not None}
    years = [f"({year}, '{holidays.SOURCE}')" for year in known]
    days = [
        f"('{day}', {str(works).lower()}, {_quoted(label)})"
        for of_year in known.values()
        for day, (works, label) in of_year.items()
    ]
    return (
        f"INSERT INTO cell.calendar_year VALUES {', '.join(years)};\n"  # noqa: S608
        f"INSERT INTO cell.calendar_day VALUES {', '.join(days)};\n"
    )


SQL = f"""
CREATE TABLE cell.calendar_year (
  year int PRIMARY KEY CHECK (year BETWEEN 2000 AND 2999),
  source text NOT NULL
);
-- A weekday off, or a weekend worked in exchange (调休); every other day of a known year is as its weekday.
CREATE TABLE cell.calendar_day (
  day date PRIMARY KEY,
  works boolean NOT NULL,
  label text NOT NULL DEFAULT ''
);
REVOKE ALL ON cell.calendar_year, cell.calendar_day FROM PUBLIC;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON cell.calendar_year, cell.calendar_day FROM "{app_role()}";
{_seed()}
CREATE FUNCTION cell.calendar() RETURNS TABLE (years int[], off date[], worked date[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, pg_temp
AS $f$ SELECT ARRAY(SELECT y.year FROM calendar_year y ORDER BY 1),
              ARRAY(SELECT d.day FROM calendar_day d WHERE NOT d.works ORDER BY 1),
              ARRAY(SELECT d.day FROM calendar_day d WHERE d.works ORDER BY 1) $f$;
REVOKE ALL ON FUNCTION cell.calendar() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cell.calendar() TO "{app_role()}";
"""  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [("cell", "0003_audit_queue_closed")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]

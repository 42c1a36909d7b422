"""``import_people``: a workbook of 5,000 people with accounts and appointments, beside a bare COPY of the same rows."""

from __future__ import annotations

import io
import statistics
import time
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from tests.benchmarks.figure import Benchmark, Figure

_PEOPLE = 5_000
_UNITS = 60
_POSTS = 600
_ROUNDS = 3


class _RollBack(Exception):
    """Ends a round without keeping its rows."""


def _workbook() -> bytes:
    from tests.organisation import books

    surnames, names = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗", ("建国", "敏", "晓东", "立新", "海燕", "志强", "丽华")
    units = [[f"U{n}", f"第{n}科室", "", "U0" if n else "", n] for n in range(_UNITS)]
    posts = [[f"U{n % _UNITS}", f"岗位{n}", "工作人员", n] for n in range(_POSTS)]
    people = [
        [f"{10000 + n}", surnames[n % 20] + names[n % 7], f"p{10000 + n}", f"138{n:08d}", f"p{n}@example.cn", n]
        for n in range(_PEOPLE)
    ]
    appointments = [
        [f"{10000 + n}", f"U{n % _POSTS % _UNITS}", f"岗位{n % _POSTS}", date(2020, 1, 1), None, "否", "是"]
        for n in range(_PEOPLE)
    ]
    return books.book(units, posts, people, appointments)


def _import(content: bytes) -> tuple[float, float, list[tuple[str, list[str], list[tuple[object, ...]]]]]:
    """Seconds to read, seconds to check and write, and the rows that were written."""
    from django.db import transaction

    from saas.core.actors import SYSTEM
    from saas.organisation.workbook.applying import import_contents
    from saas.organisation.workbook.reading import check_package, read

    tables: list[tuple[str, list[str], list[tuple[object, ...]]]] = []
    read_seconds = write_seconds = 0.0
    try:
        with transaction.atomic():
            started = time.perf_counter()
            file = io.BytesIO(content)
            check_package(file, size=len(content))
            contents = read(file)
            read_seconds = time.perf_counter() - started
            plan = import_contents(contents, by=SYSTEM, file_name="b.xlsx", sha256="0" * 64, tick=lambda: None)
            write_seconds = time.perf_counter() - started - read_seconds
            if plan.problems:
                raise AssertionError(plan.problems[:3])
            tables = _rows()
            raise _RollBack
    except _RollBack:
        pass
    return read_seconds, write_seconds, tables


def _rows() -> list[tuple[str, list[str], list[tuple[Any, ...]]]]:
    from django.db.models import Model, QuerySet

    from saas.accounts.models import User
    from saas.organisation.models import Appointment, Person, Post, Unit

    found: list[tuple[str, list[str], list[tuple[Any, ...]]]] = []
    models: tuple[type[Model], ...] = (Unit, Post, User, Person, Appointment)
    for model in models:
        columns = [str(field.column) for field in model._meta.concrete_fields]
        rows: QuerySet[Any] = model._default_manager.all()
        if model is User:
            rows = User.objects.filter(person__isnull=False)
        names = [field.attname for field in model._meta.concrete_fields]
        found.append((model._meta.db_table, columns, list(rows.values_list(*names))))
    return found


def _copy(schema: str, tables: list[tuple[str, list[str], list[tuple[object, ...]]]]) -> float:
    from saas.env import env

    with psycopg.connect(env.owner_database_url) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        started = time.perf_counter()
        with connection.cursor() as cursor:
            for table, columns, rows in tables:
                statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                    sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
                )
                with cursor.copy(statement) as copy:
                    for row in rows:
                        copy.write_row(row)
            # Foreign keys are deferred: without this the floor would not check what the import checks.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        seconds = time.perf_counter() - started
        connection.rollback()
    return seconds


def import_people() -> Figure:
    """Seconds from the file to the written rows; the median of three, rounds interleaved with the floor's."""
    from tenants.context import use_tenant
    from tenants.selectors import bureau_by_code

    content = _workbook()
    reads, writes, floors = [], [], []
    ref = bureau_by_code("alpha")
    for _ in range(_ROUNDS):
        with use_tenant(ref):
            read_seconds, write_seconds, tables = _import(content)
        reads.append(read_seconds)
        writes.append(write_seconds)
        floors.append(_copy(ref.schema, tables))
    reading, writing, floor = (statistics.median(times) for times in (reads, writes, floors))
    note = f"{_PEOPLE} people with accounts; reading the .xlsx {reading:.2f} s, checking and writing {writing:.2f} s"
    return Figure(name="import_people", value=reading + writing, unit="s", floor=floor, note=note)


FIGURES: dict[str, Benchmark] = {"import_people": import_people}

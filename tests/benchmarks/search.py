"""``search_40k``: first pages over 40,000 documents made from the real ones, for readers of much and of little."""

from __future__ import annotations

import random
import statistics
import time
import uuid

import psycopg
from psycopg import sql

from tests.benchmarks.figure import Benchmark, Figure

_DOCUMENTS = 40_000
_BATCH = 500
_QUERIES = 60
_UNITS = 40


def _fill(groups: list[uuid.UUID]) -> tuple[float, uuid.UUID]:
    """Index everything: a fifth is for everybody, the rest for pairs of units; seconds, and one of these units."""
    from django.db import transaction

    from saas.search import services
    from saas.search.entries import EVERYONE
    from tests.search import corpus

    chance = random.Random(3)
    readers = [frozenset({EVERYONE})] + [frozenset(chance.sample(groups, 2)) for _ in range(4)]
    started = time.perf_counter()
    batch = []
    for entry in corpus.many(_DOCUMENTS, readers):
        batch.append(entry)
        if len(batch) == _BATCH:
            with transaction.atomic():
                services.index_many(batch)
            batch = []
    return time.perf_counter() - started, min(readers[1])


def _analyse(schema: str) -> None:
    """What autovacuum does soon after such a load."""
    from saas.env import env

    with psycopg.connect(env.owner_database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(schema, "search_searchrow")))


def _empty(schema: str) -> None:
    from saas.env import env

    with psycopg.connect(env.owner_database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(schema, "search_searchrow")))


def _queries() -> dict[str, list[str]]:
    """What people type, of each sort."""
    from saas.search.query import parse
    from tests.search import corpus

    chance = random.Random(11)
    pieces = corpus.sentences()

    def piece(length: int) -> str:
        while True:
            text = chance.choice(pieces)
            start = chance.randrange(max(1, len(text) - length))
            found = text[start : start + length]
            if found.isalpha() and not parse(found).empty:
                return found

    numbers = [str(document["document_number"]) for document in corpus.documents()]
    return {
        "common": [
            chance.choice(("国务院", "工作", "发展", "通知", "管理", "部门", "加强", "建设")) for _ in range(_QUERIES)
        ],
        "word": [
            chance.choice(("融资担保", "绩效考核", "农机装备", "职业教育", "消费扶贫", "地震")) for _ in range(_QUERIES)
        ],
        "words": [f"{piece(2)} {piece(2)} {piece(2)}" for _ in range(_QUERIES)],
        "phrase": [f'"{piece(8)}"' for _ in range(_QUERIES)],
        "piece": [f'"{piece(4)}"' for _ in range(_QUERIES)],
        "title": [str(chance.choice(corpus.documents())["title"])[4:14] for _ in range(_QUERIES)],
        "number": [chance.choice(numbers) for _ in range(_QUERIES)],
        "nothing": [f"{piece(2)} 量子纠缠" for _ in range(_QUERIES)],
    }


def _floor(texts: list[str], permitted: list[uuid.UUID]) -> list[float]:
    """The bare index: ids of the rows with one two-character word, nothing read, ordered or counted."""
    from django.db import connection

    times = []
    with connection.cursor() as cursor:
        for text in texts:
            started = time.perf_counter()
            cursor.execute(
                "SELECT object_id FROM search_searchrow"
                " WHERE body_words @@ %s::tsquery AND groups && %s::uuid[] LIMIT 20",
                [f"'{text}'", permitted],
            )
            cursor.fetchall()
            times.append(time.perf_counter() - started)
    return times


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] * 1000


def search_40k() -> list[Figure]:
    """p95 of all sorts of queries together, in ms; the note has it by sort. One figure for a reader of each kind."""
    from saas.search.entries import EVERYONE
    from saas.search.selectors import search
    from tenants.context import use_tenant
    from tenants.selectors import bureau_by_code

    chance = random.Random(5)
    groups = [uuid.UUID(int=chance.getrandbits(128), version=4) for _ in range(_UNITS)]
    ref = bureau_by_code("alpha")
    figures = []
    with use_tenant(ref):
        try:
            built, unit = _fill(groups)
            _analyse(ref.schema)
            readers = {"everybody's": [EVERYONE], "all": [EVERYONE, *groups], "one unit's": [unit]}
            for reader, permitted in readers.items():
                by_sort: dict[str, list[float]] = {}
                for sort, texts in _queries().items():
                    for text in texts:
                        started = time.perf_counter()
                        search(text, permitted)
                        by_sort.setdefault(sort, []).append(time.perf_counter() - started)
                times = [one for sort in by_sort.values() for one in sort]
                slowest = max(times) * 1000
                split = ", ".join(f"{sort} {_p95(found):.1f}" for sort, found in by_sort.items())
                floor = _p95(_floor(["国务院", "工作", "融资", "绩效", "地震"] * 12, permitted))
                note = f"p95, {_DOCUMENTS} documents, reader of {reader}; by sort: {split}; slowest {slowest:.0f} ms"
                if reader == "all":
                    note += f"; built in {built:.0f} s"
                figures.append(Figure(name="search_40k", value=_p95(times), unit="ms", floor=floor, note=note))
        finally:
            _empty(ref.schema)
    return figures


FIGURES: dict[str, Benchmark] = {"search_40k": search_40k}

"""Keeps the index true: rows are written in the transaction of the object they describe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection

from saas.search import words
from saas.search.entries import NO_DATE, SearchEntry
from saas.search.numbers import cited_words, number_key

_TITLE_LIMIT = 2_000
_HEAD_LIMIT = 20_000
_UPSERT = """
    WITH given AS (
        SELECT * FROM unnest(%s::uuid[], %s::smallint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                             %s::date[], %s::text[], %s::text[], %s::text[], %s::text[])
            AS g(object_id, chunk, kind, title, org, number, number_key, date, groups, text, title_words, body_words)
    ), gone AS (
        DELETE FROM search_searchrow r USING (SELECT object_id, max(chunk) AS last FROM given GROUP BY object_id) g
        WHERE r.object_id = g.object_id AND r.chunk > g.last
    )
    INSERT INTO search_searchrow (object_id, chunk, kind, title, org, number, number_key, date, groups, text,
                                  title_words, body_words, dictionary)
    SELECT object_id, chunk, kind, title, org, number, number_key, date, groups::uuid[], text,
           array_to_tsvector(title_words::text[]), array_to_tsvector(body_words::text[]), %s
    FROM given
    ON CONFLICT (object_id, chunk) DO UPDATE SET
        kind = EXCLUDED.kind, title = EXCLUDED.title, org = EXCLUDED.org, number = EXCLUDED.number,
        number_key = EXCLUDED.number_key, date = EXCLUDED.date, groups = EXCLUDED.groups, text = EXCLUDED.text,
        title_words = EXCLUDED.title_words, body_words = EXCLUDED.body_words, dictionary = EXCLUDED.dictionary
"""


def index(entry: SearchEntry) -> None:
    """Write or rewrite one object's rows; one statement, in the caller's transaction."""
    index_many([entry])


def index_many(entries: Sequence[SearchEntry]) -> None:
    """Write or rewrite many objects' rows; one statement."""
    rows = [row for entry in entries for row in _rows(entry)]
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [*columns, words.DICTIONARY_VERSION])


def remove(object_id: UUID) -> None:
    """Take an object out of the index; one statement."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM search_searchrow WHERE object_id = %s", [object_id])


def rebuild_outdated(*, batch: int = 500) -> int:
    """Cut again up to `batch` rows whose words come from an older dictionary.

    Returns:
        how many were rebuilt; 0 when none is left.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT object_id, chunk, title, org, number, text FROM search_searchrow"
            " WHERE dictionary < %s LIMIT %s FOR UPDATE SKIP LOCKED",
            [words.DICTIONARY_VERSION, batch],
        )
        rows = cursor.fetchall()
        if not rows:
            return 0
        heads = [f"{title}\n{org}\n{number}" for _, _, title, org, number, _ in rows]
        cursor.execute(
            """
            UPDATE search_searchrow r
            SET title_words = array_to_tsvector(g.title_words::text[]),
                body_words = array_to_tsvector(g.body_words::text[]), dictionary = %s
            FROM unnest(%s::uuid[], %s::smallint[], %s::text[], %s::text[])
                AS g(object_id, chunk, title_words, body_words)
            WHERE r.object_id = g.object_id AND r.chunk = g.chunk
            """,
            [
                words.DICTIONARY_VERSION,
                [row[0] for row in rows],
                [row[1] for row in rows],
                [_array(words.bigrams(f"{row[2]}\n{row[3]}")) for row in rows],
                [
                    _array(words.body_words(f"{head}\n{row[5]}") | cited_words(row[5]))
                    for head, row in zip(heads, rows, strict=True)
                ],
            ],
        )
    return len(rows)


def _rows(entry: SearchEntry) -> list[tuple[object, ...]]:
    title = words.tidy(entry.title)[:_TITLE_LIMIT]
    org = words.tidy("  ".join([entry.org, *entry.names]))[:_HEAD_LIMIT]
    number = words.tidy(entry.number)[:100]
    title_words = _array(words.bigrams(f"{title}\n{org}"))
    head = words.body_words(f"{title}\n{org}\n{number}")
    groups = _array(str(group) for group in entry.groups)
    return [
        (
            entry.object_id,
            chunk,
            entry.kind,
            title,
            org,
            number,
            number_key(entry.number),
            entry.date or NO_DATE,
            groups,
            text,
            title_words,
            _array(head | words.body_words(text) | cited_words(text)),
        )
        for chunk, text in enumerate(words.chunks(words.tidy(entry.body)))
    ]


def _array(items: Iterable[str]) -> str:
    """An array literal. Items are words of the index or UUIDs: no quote or backslash is in them, but NULL may be."""
    return "{" + ",".join(f'"{item}"' for item in sorted(set(items))) + "}"

"""Finds objects among those the asker may read; the permission is inside every statement, count included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from saas.core.errors import BadRequest
from saas.search import highlights
from saas.search.entries import EMPTY, NO_DATE, Hit, Page
from saas.search.query import Query, like_pattern, parse, spellings

COUNT_CAP = 1_000
# Where every text must be compared with what was typed, fewer are counted: each costs a read of its own.
EXACT_COUNT_CAP = 300
_NUMBER, _TITLE, _BODY = range(3)


_Value = str | int | date | UUID | list[str] | list[UUID]


@dataclass(frozen=True, slots=True)
class _Condition:
    """A piece of SQL of our own with the values for its placeholders."""

    sql: str
    values: tuple[_Value, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tier:
    """One kind of match: what indexes answer, and what only the row's own texts can (none for plain words)."""

    number: int
    indexed: _Condition
    exact: _Condition | None = None

    @property
    def whole(self) -> _Condition:
        """Both in one."""
        return self.indexed if self.exact is None else _all_of([self.indexed, self.exact])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the previous page ended."""

    tier: int
    date: date
    object_id: UUID

    def __str__(self) -> str:
        return f"{self.tier}.{self.date.isoformat()}.{self.object_id}"


def search(
    query: str,
    groups: Iterable[UUID],
    *,
    kind: str = "",
    start: date | None = None,
    end: date | None = None,
    after: str = "",
    limit: int = 20,
) -> Page:
    """A page of what `query` finds: exact numbers first, then titles, then texts, each the newest first.

    Args:
        query: what the person typed.
        groups: every group the person may read as; with none, nothing is found.
        kind: only this kind.
        start: only from this day on.
        end: only up to this day.
        after: `Page.next` of the page before.
        limit: results on a page.

    Raises:
        Invalid: the query is too long.
        BadRequest: `after` is not ours.
    """
    asked = parse(query)
    permitted = sorted(set(groups))
    if asked.empty or not permitted:
        return EMPTY
    filters = _filters(permitted, kind, start, end)
    tiers = _tiers(asked)
    place = _place(after) if after else None
    parts: list[_Condition] = []
    earlier: list[_Condition] = []
    for tier in tiers:
        if place is None or tier.number >= place.tier:
            # The others first: titles are small and lie in the row, the words of a body do not.
            others = [_Condition(f"NOT ({c.sql})", c.values) for c in earlier]
            parts.append(_part(len(parts), tier, [*filters, *others], place, limit + 1))
        earlier.append(tier.whole)
    if not parts:
        return EMPTY
    cap = EXACT_COUNT_CAP if any(tier.exact for tier in tiers) else COUNT_CAP
    counting = _counting(tiers, filters, cap + 1)
    # Only pieces of our own are joined; every value is bound.
    statement = f"""
        WITH {", ".join(part.sql for part in (*parts, *counting))}, found AS (
            SELECT * FROM ({" UNION ALL ".join(f"SELECT * FROM part{n}" for n in range(len(parts)))}) u
            ORDER BY tier, date DESC, object_id DESC LIMIT %s
        ), counted AS (
            SELECT count(*) AS lines, count(DISTINCT object_id) AS objects
            FROM ({" UNION ".join(f"SELECT * FROM lines{n}" for n in range(len(counting)))}) c
        )
        SELECT c.lines, c.objects, f.tier, f.object_id, f.date, r.kind, r.title, r.org, r.number, r.text
        FROM counted c LEFT JOIN (found f JOIN search_searchrow r USING (object_id, chunk)) ON TRUE
        ORDER BY f.tier, f.date DESC, f.object_id DESC
    """  # noqa: S608
    values = [*(v for part in (*parts, *counting) for v in part.values), limit + 1]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    return _page(asked, rows, limit, cap)


def suggest(typed: str, groups: Iterable[UUID], *, limit: int = 8) -> list[str]:
    """Titles that contain what is being typed, the newest first, among those the asker may read."""
    asked = parse(typed)
    permitted = sorted(set(groups))
    lexemes = asked.title_lexemes
    if not lexemes or not permitted:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT title FROM search_searchrow
            WHERE groups && %s::uuid[] AND title_words @@ %s::tsquery AND chunk = 0
            ORDER BY date DESC, object_id DESC LIMIT %s
            """,
            [permitted, _tsquery(lexemes), limit],
        )
        return list(dict.fromkeys(row[0] for row in cursor.fetchall()))


def _part(number: int, tier: _Tier, where: list[_Condition], place: _Place | None, limit: int) -> _Condition:
    """The first `limit` objects of one tier, after `place` when it lies in this tier.

    A part does not run at all when those before it have filled the page. Texts are compared from the newest match of
    the indexes on, and no more of them than the page needs: OFFSET 0 keeps the comparison out of the inner query.
    """
    where = [*where, tier.indexed]
    if place is not None and place.tier == tier.number:
        where = [*where, _Condition("(date, object_id) < (%s::date, %s::uuid)", (place.date, place.object_id))]
    if number:
        found = " + ".join(f"(SELECT count(*) FROM part{n})" for n in range(number))  # noqa: S608
        where = [_Condition(f"{found} < %s", (limit,)), *where]
    condition = _all_of(where)
    order = "ORDER BY date DESC, object_id DESC, chunk"
    source = f"SELECT object_id, chunk, date FROM search_searchrow WHERE {condition.sql}"  # noqa: S608
    exact = tier.exact or _Condition("")
    if tier.exact:
        own = f"SELECT FROM search_searchrow t WHERE t.object_id = m.object_id AND t.chunk = m.chunk AND {exact.sql}"
        source = f"SELECT m.* FROM ({source} {order} OFFSET 0) m, LATERAL ({own} OFFSET 0) compared"  # noqa: S608
    sql = f"""
        part{number} AS MATERIALIZED (
            SELECT DISTINCT ON (date, object_id) %s::int AS tier, object_id, chunk, date
            FROM ({source}) f {order} LIMIT %s
        )
    """  # noqa: S608
    return _Condition(sql, (tier.number, *condition.values, *exact.values, limit))


def _counting(tiers: list[_Tier], filters: list[_Condition], limit: int) -> list[_Condition]:
    """Rows of each tier, asked for apart, so that indexes answer; none when those before reached `limit`."""
    arms = []
    for number, tier in enumerate(tiers):
        arm = _all_of([*filters, tier.whole])
        room = "".join(f" - (SELECT count(*) FROM lines{n})" for n in range(number))  # noqa: S608
        sql = f"""
            lines{number} AS MATERIALIZED (
                SELECT object_id, chunk FROM search_searchrow WHERE %s{room} > 0 AND {arm.sql} LIMIT %s
            )
        """  # noqa: S608
        arms.append(_Condition(sql, (limit, *arm.values, limit)))
    return arms


def _filters(permitted: list[UUID], kind: str, start: date | None, end: date | None) -> list[_Condition]:
    filters = [_Condition("groups && %s::uuid[]", (permitted,))]
    if kind:
        filters.append(_Condition("kind = %s", (kind,)))
    if start:
        filters.append(_Condition("date >= %s::date", (start,)))
    if end:
        filters.append(_Condition("date <= %s::date AND date > %s::date", (end, NO_DATE)))
    return filters


def _tiers(asked: Query) -> list[_Tier]:
    """The tiers that this query has, best first."""
    phrases = [
        _Condition(
            "(text || ' ' || title || ' ' || org) LIKE ANY (%s::text[])", ([like_pattern(s) for s in spellings(p)],)
        )
        for p in asked.phrases
    ]
    exact = _all_of(phrases) if phrases else None
    title = _Condition("title_words @@ %s::tsquery", (_tsquery(asked.title_lexemes),))
    in_title = [_Condition("(title || ' ' || org) ILIKE ANY (%s::text[])", v.values) for v in phrases]
    body = _Condition("body_words @@ %s::tsquery", (_tsquery(asked.body_lexemes),))
    number = asked.number
    tiers: list[_Tier] = []
    if number is not None:
        by_key = _Condition(
            "number_key <> '' AND number_key LIKE %s AND (%s = '' OR %s LIKE '%%' || split_part(number_key, '-', 3)"
            " OR split_part(number_key, '-', 3) LIKE '%%' || %s)",
            (number.like, number.prefix, number.prefix, number.prefix),
        )
        rest = [_Condition(body.sql, (_tsquery(_rest_lexemes(asked)),))] if asked.words else []
        tiers.append(_Tier(_NUMBER, _all_of([by_key, *rest]), exact))
        if number.serial:
            cites = _Condition("text LIKE ANY (%s::text[])", ([like_pattern(s) for s in number.spellings],))
            tiers.append(_Tier(_BODY, body, _all_of([cites, *phrases])))
        return tiers
    if asked.title_lexemes:
        tiers.append(_Tier(_TITLE, _all_of([title, *in_title])))
    if asked.body_lexemes:
        tiers.append(_Tier(_BODY, body, exact))
    return tiers


def _rest_lexemes(asked: Query) -> list[str]:
    return Query(asked.words, asked.phrases, None).body_lexemes


def _all_of(conditions: list[_Condition]) -> _Condition:
    return _Condition(" AND ".join(f"({c.sql})" for c in conditions), tuple(v for c in conditions for v in c.values))


def _tsquery(lexemes: list[str]) -> str:
    # Lexemes are letters, digits and characters only (saas.search.words), so quoting cannot be broken out of.
    return " & ".join(f"'{lexeme}'" for lexeme in lexemes)


def _place(after: str) -> _Place:
    try:
        tier, day, object_id = after.split(".")
        return _Place(int(tier), date.fromisoformat(day), UUID(object_id))
    except ValueError:
        raise BadRequest(_("页码无效，请重新检索。"), code="search.place") from None


def _page(asked: Query, rows: list[tuple[object, ...]], limit: int, cap: int) -> Page:
    lines, objects = int(str(rows[0][0])), int(str(rows[0][1]))
    found = [row for row in rows if row[2] is not None]
    marks = asked.marks
    hits = tuple(
        Hit(
            kind=str(kind),
            object_id=UUID(str(object_id)),
            title=highlights.mark(str(title), marks),
            org=str(org),
            number=str(number),
            date=day if isinstance(day, date) and day != NO_DATE else None,
            excerpt=highlights.excerpt(str(text), marks),
        )
        for _l, _o, _tier, object_id, day, kind, title, org, number, text in found[:limit]
    )
    following = ""
    if len(found) > limit:
        last = found[limit - 1]
        following = str(_Place(int(str(last[2])), date.fromisoformat(str(last[4])), UUID(str(last[3]))))
    return Page(hits, min(objects, cap), lines > cap, following)

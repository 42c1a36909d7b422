"""Reads whole trails as the owner, for verification and export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, transaction
from psycopg import sql

from saas.core.audit.chain import FIELDS, Head, Link, Trail, content_of
from saas.core.audit.verify import Entry, PublicKeys, Report, verify
from saas.core.keys import HeadMark, KeyName, head_marks, public_keys_pem
from saas.core.tenancy import MANAGEMENT_SCHEMA
from saas.env import Zone

_FETCH = 500
_LINK_FIELDS = ("seq", "record_id", "algorithm", "digest")


def schemas_by_code(alias: str) -> dict[str, str]:
    """Code → schema of every trail of this zone, ordered by code."""
    if Zone(settings.ZONE) is Zone.MANAGEMENT:
        return {"management": MANAGEMENT_SCHEMA}
    bureaus = apps.get_model(settings.TENANT_MODEL)._default_manager.using(alias)
    return dict(bureaus.order_by("code").values_list("code", "schema_name"))


def trail_of(schema: str) -> Trail:
    """The trail of a schema of this cell."""
    return Trail(Zone(settings.ZONE).value, settings.CELL, schema)


def believed_keys() -> PublicKeys:
    """The public keys of this cell's heads, from Vault."""
    key = KeyName.audit_head(Zone(settings.ZONE), settings.CELL)
    return {key.text: public_keys_pem(key)}


def heads_of(schema: str, alias: str) -> list[Head]:
    """All signed heads of a trail."""
    query = sql.SQL(
        "SELECT seq, digest, signed_at, algorithm, key_name, key_version, signature FROM {}.audit_head ORDER BY seq"
    )
    with connections[alias].cursor() as cursor:
        cursor.execute(query.format(sql.Identifier(schema)))
        return [Head(r[0], bytes(r[1]), r[2], r[3], r[4], r[5], bytes(r[6])) for r in cursor.fetchall()]


def entries_of(schema: str, alias: str) -> Iterator[Entry]:
    """All links with their records, then records that have no link and do not wait for one; constant memory."""
    place = sql.Identifier(schema)
    link_columns = sql.SQL(", ").join(sql.SQL("l.{}").format(sql.Identifier(name)) for name in _LINK_FIELDS)
    columns = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(name)) for name in FIELDS)
    query = sql.SQL(
        "DECLARE audit_entries NO SCROLL CURSOR FOR SELECT {}, {} FROM {}.audit_link l "
        "FULL JOIN {}.audit_record r ON r.id = l.record_id "
        "WHERE l.seq IS NOT NULL OR NOT EXISTS (SELECT 1 FROM cell.audit_pending p WHERE p.record_id = r.id) "
        "ORDER BY l.seq NULLS LAST, r.id"
    ).format(link_columns, columns, place, place)
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(query)
        while True:
            cursor.execute(sql.SQL("FETCH {} FROM audit_entries").format(sql.Literal(_FETCH)))
            rows = cursor.fetchall()
            for row in rows:
                yield _entry(row)
            if len(rows) < _FETCH:
                break
        cursor.execute("CLOSE audit_entries")


def known_marks() -> Mapping[str, HeadMark]:
    """How far each trail of this cell was signed, by schema, from Vault; read it before the trails themselves."""
    return head_marks(Zone(settings.ZONE), settings.CELL)


def verify_schema(schema: str, alias: str, keys: PublicKeys, mark: HeadMark | None) -> Report:
    """Verify one trail where it lies; its mark must have been read before."""
    # Links first: a head signed in between would seem to reach beyond the chain.
    with transaction.atomic(using=alias):
        with connections[alias].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        heads = heads_of(schema, alias)
        entries = entries_of(schema, alias)
        return verify(trail=trail_of(schema), heads=heads, entries=entries, keys=keys, mark=mark)


def _entry(row: tuple[Any, ...]) -> Entry:
    split = len(_LINK_FIELDS)
    link = Link(row[0], row[1], row[2], bytes(row[3])) if row[0] is not None else None
    content = None
    if row[split] is not None:
        content = content_of(row[split:])
    return Entry(link, content)

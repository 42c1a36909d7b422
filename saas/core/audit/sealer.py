"""Chains committed records and has the chains' heads signed: one sealer per cell, safe to kill at any moment.

Records are inserted without locks, so they have no order of their own; the sealer gives them one. It works as the
owner, in the agent: no web process can write a link or a head.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.utils import timezone
from psycopg import sql

from saas.core import metrics
from saas.core.audit.chain import FIELDS, GENESIS, Link, Trail, content_of, head_digest, link_digest
from saas.core.errors import Unavailable
from saas.core.keys import Algorithm, HeadMark, KeyName, head_marks, raise_head_marks, sign_many
from saas.env import Zone

logger = logging.getLogger(__name__)
LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('yunshu'), hashtext('audit sealer'))"
# Two sealers take turns within moments; whoever holds the lock for longer stops every trail of the cell.
LOCKED_OUT_SECONDS = 30.0
_HOLDER = (
    "SELECT concat_ws(' ', a.pid, a.usename, nullif(a.application_name, '')) "
    "FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = hashtext('yunshu')::bigint & 4294967295 "
    "AND l.objid::bigint = hashtext('audit sealer')::bigint & 4294967295"
)
_BATCH = 1000
_HEADS = 200
_TICK_SECONDS = 0.1
_PAUSE_SECONDS = 2.0
_SIGN_EVERY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class _Due:
    schema: str
    seq: int
    digest: bytes


class Sealer:
    """Chains and signs the trails of this process's cell.

    Args:
        alias: Django's name of a connection that owns the schemas.
        sign_every_seconds: how long a chain may grow before its head is signed; urgent records do not wait.
    """

    def __init__(self, alias: str = "owner", *, sign_every_seconds: float = _SIGN_EVERY_SECONDS) -> None:
        self._alias = alias
        self._sign_every_seconds = sign_every_seconds
        self._marks: dict[str, HeadMark] | None = None
        self._locked_out_since: float | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; an outage of the database or of Vault is waited out."""
        while not stop.is_set():
            pause = _TICK_SECONDS
            try:
                self.tick()
            except (DatabaseError, Unavailable):
                logger.exception("the audit sealer cannot work")
                connections[self._alias].close()
                pause = _PAUSE_SECONDS
            stop.wait(pause)
        connections[self._alias].close()

    def tick(self) -> int:
        """Chain everything that has committed, then sign what is due.

        Returns:
            how many records were chained.

        Raises:
            DatabaseError: the database is away.
            Unavailable: Vault is sealed or away; the chains have grown all the same.
        """
        chained = 0
        if self._marks is None:
            # Without Vault the chains grow unchecked; nothing of them is signed before the marks were read.
            with contextlib.suppress(Unavailable):
                self._marks = head_marks(Zone(settings.ZONE), settings.CELL)
        waiting = self._schemas("SELECT DISTINCT schema_name FROM cell.audit_pending")
        if not waiting:
            self._locked_out_since = None
        for schema in waiting:
            try:
                while (done := self._chain(schema)) == _BATCH:
                    chained += done
                chained += done
            except DatabaseError:
                # One bureau's trouble must not stop the others' trails.
                logger.exception("a trail could not be chained", extra={"schema": schema})
                if not connections[self._alias].is_usable():
                    raise
        self._sign_due()
        return chained

    def _restored(self, cursor: Any, schema: str) -> bool:
        """Whether the chain is not the one whose head was signed last: an older copy, which must not grow a branch.

        An operator decides what happens then (`manage.py audit_continue`); until he does, records wait in the queue.
        """
        mark = (self._marks or {}).get(schema)
        if mark is None or not mark.seq:
            return False
        query = sql.SQL("SELECT digest FROM {}.audit_link WHERE seq = %s").format(sql.Identifier(schema))
        cursor.execute(query, [mark.seq])
        row = cursor.fetchone()
        if row is not None and bytes(row[0]).hex() == mark.digest:
            return False
        logger.error("a trail lacks its last signed head: it was restored", extra={"schema": schema, "seq": mark.seq})
        metrics.AUDIT_HELD.inc()
        return True

    @staticmethod
    def _gone(cursor: Any, schema: str) -> bool:
        """Whether the bureau was closed; its trail went out with its export, and nothing of it waits any more."""
        cursor.execute("SELECT to_regclass(%s) IS NULL", [f'"{schema}".audit_record'])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("DELETE FROM cell.audit_pending WHERE schema_name = %s", [schema])
        cursor.execute("DELETE FROM cell.audit_unsigned WHERE schema_name = %s", [schema])
        return True

    def _schemas(self, query: str, values: Sequence[float] = ()) -> list[str]:
        with connections[self._alias].cursor() as cursor:
            cursor.execute(query, values)
            return [row[0] for row in cursor.fetchall()]

    def _chain(self, schema: str) -> int:
        """Move one batch of a schema from the queue into its chain, in one transaction."""
        with transaction.atomic(using=self._alias), connections[self._alias].cursor() as cursor:
            if not self._alone(cursor):
                return 0
            if self._gone(cursor, schema) or self._restored(cursor, schema):
                return 0
            cursor.execute(
                "WITH taken AS (DELETE FROM cell.audit_pending WHERE id IN (SELECT id FROM cell.audit_pending "
                "WHERE schema_name = %s ORDER BY id LIMIT %s) RETURNING id, record_id, urgent) "
                "SELECT record_id, urgent FROM taken ORDER BY id",
                [schema, _BATCH],
            )
            taken = cursor.fetchall()
            if not taken:
                return 0
            self._append(cursor, schema, [record_id for record_id, _urgent in taken])
            cursor.execute(
                "INSERT INTO cell.audit_unsigned AS u (schema_name, urgent) VALUES (%s, %s) "
                "ON CONFLICT (schema_name) DO UPDATE SET urgent = u.urgent OR excluded.urgent",
                [schema, any(urgent for _record_id, urgent in taken)],
            )
        return len(taken)

    def _append(self, cursor: Any, schema: str, record_ids: list[UUID]) -> None:
        place = sql.Identifier(schema)
        columns = sql.SQL(", ").join(map(sql.Identifier, FIELDS))
        query = sql.SQL("SELECT {} FROM {}.audit_record WHERE id = ANY(%s)").format(columns, place)
        cursor.execute(query, [record_ids])
        contents = {row[0]: content_of(row) for row in cursor.fetchall()}
        last = self._last_link(cursor, schema)
        seq, previous = (last.seq, last.digest) if last else (0, GENESIS)
        rows = []
        for record_id in record_ids:
            seq += 1
            content = contents.get(record_id)
            if content is None:
                logger.error("an audit record vanished before it was chained", extra={"schema": schema})
            previous = link_digest(previous=previous, seq=seq, record_id=record_id, content=content)
            rows.append((seq, record_id, Algorithm.SHA_256.value, previous))
        cursor.executemany(
            sql.SQL("INSERT INTO {}.audit_link (seq, record_id, algorithm, digest) VALUES (%s, %s, %s, %s)").format(
                place
            ),
            rows,
        )

    def _last_link(self, cursor: Any, schema: str) -> Link | None:
        query = sql.SQL("SELECT seq, record_id, algorithm, digest FROM {}.audit_link ORDER BY seq DESC LIMIT 1")
        cursor.execute(query.format(sql.Identifier(schema)))
        row = cursor.fetchone()
        return Link(row[0], row[1], row[2], bytes(row[3])) if row else None

    def _sign_due(self) -> None:
        schemas = self._schemas(
            "SELECT schema_name FROM cell.audit_unsigned "
            "WHERE urgent OR since <= now() - make_interval(secs => %s) ORDER BY urgent DESC, since LIMIT %s",
            [float(self._sign_every_seconds), _HEADS],
        )
        if not schemas:
            return
        # Read anew each time: while a bureau is restored, this process goes on.
        self._marks = head_marks(Zone(settings.ZONE), settings.CELL)
        due: list[_Due] = []
        with connections[self._alias].cursor() as cursor:
            for schema in schemas:
                last = None if self._gone(cursor, schema) else self._last_link(cursor, schema)
                if last is not None and not self._restored(cursor, schema):
                    due.append(_Due(schema, last.seq, last.digest))
        if due:
            self._sign(due)

    def _sign(self, due: list[_Due]) -> None:
        """Have all heads signed in one call to Vault, then store each in a transaction of its own."""
        zone, algorithm, now = Zone(settings.ZONE), Algorithm.ECDSA_P256_SHA256, timezone.now()
        key = KeyName.audit_head(zone, settings.CELL)
        digests = [
            head_digest(
                trail=Trail(zone.value, settings.CELL, item.schema),
                seq=item.seq,
                digest=item.digest,
                signed_at=now,
                algorithm=algorithm.value,
            )
            for item in due
        ]
        signatures = sign_many(key, digests, algorithm)
        # The links have committed: a mark may stand before its head is stored, never after.
        fresh = {item.schema: HeadMark(item.seq, item.digest.hex()) for item in due}
        raise_head_marks(zone, settings.CELL, fresh)
        self._marks = {**(self._marks or {}), **fresh}
        for item, signature in zip(due, signatures, strict=True):
            with transaction.atomic(using=self._alias), connections[self._alias].cursor() as cursor:
                if not self._alone(cursor):
                    return
                cursor.execute(
                    sql.SQL(
                        "INSERT INTO {}.audit_head "
                        "(seq, digest, signed_at, algorithm, key_name, key_version, signature) "
                        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (seq) DO NOTHING"
                    ).format(sql.Identifier(item.schema)),
                    [item.seq, item.digest, now, algorithm.value, key.text, signature.key_version, signature.value],
                )
                last = self._last_link(cursor, item.schema)
                if last is not None and last.seq == item.seq:
                    cursor.execute("DELETE FROM cell.audit_unsigned WHERE schema_name = %s", [item.schema])

    def _alone(self, cursor: Any) -> bool:
        cursor.execute(LOCK)
        if cursor.fetchone()[0]:
            self._locked_out_since = None
            return True
        now = time.monotonic()
        if self._locked_out_since is None:
            self._locked_out_since = now
        elif now - self._locked_out_since >= LOCKED_OUT_SECONDS:
            self._locked_out_since = now
            cursor.execute(_HOLDER)
            holder = cursor.fetchone()
            logger.error("the audit sealer is kept from its lock", extra={"holder": holder[0] if holder else ""})
            metrics.AUDIT_LOCKED_OUT.inc()
        return False

"""Two bureaus whose people have written a canary word wherever text can be written, and the means to look for it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import random
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.test import Client
from django.utils import timezone
from psycopg import sql

from saas.accounts.actors import resolve
from saas.accounts.models import User
from saas.accounts.services import role_grant, user_create
from saas.approvals.models import Task
from saas.approvals.services import Act, act, delegating, flow_install
from saas.core import logs
from saas.core.access import Role
from saas.core.actors import SYSTEM, Actor
from saas.core.jobs.worker import make_app
from saas.core.keys import SealKeyKind
from saas.core.storage import ContentType, store
from saas.core.tenancy import TenantRef
from saas.documents import services
from saas.documents.kinds import Kind
from saas.documents.layout import render
from saas.documents.models import Document
from saas.documents.sealing import document_seal
from saas.documents.services import IncomingInput
from saas.exchange.services import document_send
from saas.organisation.models import Post, PostKind
from saas.organisation.services.imports import workbook_confirm, workbook_upload
from saas.organisation.workbook.writing import export_workbook
from saas.regulations.services import regulations_load
from saas.seals.services import seal_create
from tenants.context import use_tenant
from tests.documents.conftest import draft_input
from tests.documents.samples import FONTS, sample
from tests.organisation import books, makers
from tests.regulations.test_parsing import line
from tests.stack import SUPERUSER_VARIABLE

_BIRDS = "鹦鹉鹭鸶鹰隼鸿鹄鹤鸥鸠鸽雁燕莺鹃"
PDF = b"%PDF-1.4\n% "


@dataclass(frozen=True)
class Canary:
    """A word that nothing else holds, in both scripts people write here."""

    latin: str
    han: str

    @property
    def word(self) -> str:
        """Both."""
        return f"{self.han}{self.latin}"

    def forms(self) -> set[bytes]:
        """The word as UTF-8, as JSON, in an address, and as a dump shows bytes."""
        plain = {self.latin, self.han}
        escaped = {json.dumps(self.han).strip('"'), quote(self.han), quote(self.han).lower()}
        hexed = {text.encode().hex() for text in plain}
        return {text.encode() for text in plain | escaped | hexed}

    def shows_in(self, content: bytes) -> bool:
        """Whether it stands in `content` in any form."""
        return any(form in content for form in self.forms())


def new_canary(mark: str) -> Canary:
    """A word never used before."""
    return Canary(f"canary{mark}{secrets.token_hex(5)}", "".join(random.sample(_BIRDS, 6)))


@dataclass
class Written:
    """One bureau at work: its word, its people, and what it sent elsewhere."""

    ref: TenantRef
    canary: Canary
    clerk: Actor = SYSTEM
    user: User | None = None
    workbook: bytes = b""
    documents: list[Document] = field(default_factory=list)
    post: Post | None = None

    def browser(self) -> Client:
        """A browser of the clerk's."""
        client = Client(headers={"host": f"{self.ref.code}.localhost"}, raise_request_exception=False)
        assert self.user is not None
        with use_tenant(self.ref):
            client.force_login(self.user)
        return client


def log_of(stream: io.StringIO) -> logging.Handler:
    """The handler our processes log with, on `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    handler.addFilter(logs.TenantFilter())
    handler.addFilter(logs.SecretFilter())
    return handler


def work_off() -> None:
    """Run what is due with the worker of the product, until nothing is."""

    async def run() -> None:
        app = make_app()
        async with app.open_async():
            await app.run_worker_async(wait=False, concurrency=2, install_signal_handlers=False, listen_notify=False)

    asyncio.run(run())


def staff(ref: TenantRef, canary: Canary) -> Written:
    """Accounts, units, posts, people and their roles, all named after the canary."""
    written = Written(ref, canary)
    with use_tenant(ref):
        unit = makers.unit(f"{canary.han}科")
        written.post = makers.post(f"{canary.han}员", unit=unit, kind=PostKind.CLERK)
        user = user_create(username=canary.latin, name=canary.han, by=SYSTEM).user
        user.must_change_password = False
        user.save(update_fields=["must_change_password"])
        makers.appoint(makers.person(canary.han, user=user), written.post)
        role_grant(user_id=user.pk, role=Role.CLERK, by=SYSTEM)
        written.user = User.objects.for_request().get(pk=user.pk)
        written.clerk = resolve(written.user, None)
    return written


def write_everywhere(at: Written, *, to_code: str, crossing: Canary) -> None:
    """Put the canary into every text of an office's day; `crossing` alone goes into what is sent to another bureau.

    Args:
        at: the bureau, staffed.
        to_code: the bureau that gets a document.
        crossing: the word of that document.
    """
    assert at.post is not None
    word, by = at.canary.word, at.clerk
    with use_tenant(at.ref):
        start = {"kind": "start", "key": "start", "name": f"拟{at.canary.han}"}
        sign: dict[str, Any] = {"kind": "approve", "key": "sign", "name": at.canary.han, "marks": ["sign_off"]}
        sign["who"] = [{"rule": "post", "id": str(at.post.id)}]
        end = {"kind": "end", "key": "end", "name": "结束"}
        for key in ("outgoing", "incoming"):
            flow_install(key=key, name=f"{at.canary.han}流程", tree={"nodes": [start, sign, end]}, by=by)
        seal = seal_create(
            name=f"{at.canary.han}专用章", caption="", diameter_mm=42, key_kind=SealKeyKind.ECDSA_P256,
            holder_posts=[at.post.id], by=by,
        )  # fmt: skip
        mark = f"{at.canary.han}发"
        book = services.book_create(mark=mark, year=timezone.localdate().year, kinds=[], first=1, by=by)
        services.number_reserve(book_id=book.id, reason=word, by=by)
        kept = services.document_draft(
            draft=draft_input(
                title=f"关于{word}的通知", body=f"{word}\n" * 40, recipients=word, note=word, printer=word
            ),
            by=by,
        )
        services.attachment_add(
            document_id=kept.id, name=f"{word}.pdf", stream=io.BytesIO(PDF + f"{word}\n".encode() * 9000), by=by
        )
        services.attachment_add(
            document_id=kept.id, name=f"{word}.txt", stream=io.BytesIO(f"{word}\n".encode() * 9000), by=by
        )
        regulation = line(title=f"{word}管理办法", text=f"第一条 {word}。")
        assert regulations_load(lines=[regulation], by=by).loaded == 1
        mate = makers.staff(f"{at.canary.han[:3]}乙", post=at.post)
        delegating.give(
            stand_in_id=resolve(mate, None).person_id,  # type: ignore[arg-type]
            starts=timezone.localdate(),
            ends=timezone.localdate() + timedelta(days=2),
            by=by,
            reason=word,
        )
        people = [["9001", at.canary.han, "", "13800000000", "", 1]]
        units = [["ZZ9", f"{at.canary.han}处", "", "", 1, "", "", "是"]]
        posts = [["ZZ9", f"{at.canary.han}长", "主要负责人", 1, "是"]]
        workbook = books.book(
            units, posts, people, [["9001", "ZZ9", f"{at.canary.han}长", "2020-01-01", None, "", "是"]]
        )
        upload = workbook_upload(file=io.BytesIO(workbook), file_name=f"{word}.xlsx", size=len(workbook), by=by)
        work_off()
        workbook_confirm(import_id=upload.id, by=by)
        work_off()
        _issue(at, kept, word, book.id)
        kept_file = store(
            name_prefix="documents/files", stream=f"{word}\n".encode() * 100, content_type=ContentType.TXT.value
        )
        services.incoming_register(
            incoming=IncomingInput(from_name=word, number=word[:20], title=word, received_on=timezone.localdate()),
            pdf=render(sample(title=word[:40]), FONTS).pdf,
            by=by,
            files=((f"{word}.txt", kept_file),),
        )
        elements: dict[str, Any] = dict.fromkeys(
            ("title", "body", "recipients", "note", "printer", "mark"), crossing.word
        )
        elements |= {"title": f"关于{crossing.word}的通知", "signatures": (crossing.han,)}
        plain = services.book_create(
            mark=f"{crossing.han}函", year=timezone.localdate().year, kinds=[Kind.LETTER], first=1, by=by
        )
        sent = services.document_draft(draft=draft_input(kind=Kind.LETTER, **elements), by=by)
        _issue(at, sent, word, plain.id)
        document_seal(document_id=sent.id, seal_id=seal.id, by=by)
        work_off()
        document_send(document_id=sent.id, to_codes=[to_code], by=by)
        work_off()
        at.documents = [kept, sent]
        at.workbook = export_workbook(by=by)


def _issue(at: Written, document: Document, opinion: str, book_id: Any) -> None:
    services.document_submit(document_id=document.id, flow_key="outgoing", by=at.clerk)
    task = Task.objects.get(instance__subject_id=document.id, state="open")
    act(task_id=task.id, act=Act.AGREE, by=at.clerk, opinion=opinion, idempotency_key=f"sign{task.id}")
    services.document_register_number(document_id=document.id, book_id=book_id, by=at.clerk)
    work_off()


def dump() -> dict[str, dict[str, bytes]]:
    """Every row of every table, as text, by schema and table; read as superuser."""
    name = str(settings.DATABASES["default"]["NAME"])
    found: dict[str, dict[str, bytes]] = {}
    with psycopg.connect(os.environ[SUPERUSER_VARIABLE], dbname=name) as connection:
        tables = connection.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        ).fetchall()
        for schema, table in tables:
            rows = connection.execute(
                sql.SQL("SELECT t::text FROM {}.{} t").format(sql.Identifier(schema), sql.Identifier(table))
            )
            found.setdefault(schema, {})[table] = "\n".join(row[0] for row in rows).encode()
    return found


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

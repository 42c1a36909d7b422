"""Numbers: no duplicate, no gap without its reason, whatever dies."""

from __future__ import annotations

import random
import threading
import uuid

import pytest
from django.db import connection, connections, transaction
from django.db.utils import Error as DatabaseError

from saas.core import keys
from saas.core.actors import SYSTEM, Actor
from saas.core.errors import Conflict, Invalid, Unavailable
from saas.core.tenancy import TenantRef
from saas.documents import services
from saas.documents.jobs import raise_number_mark
from saas.documents.kinds import Direction, Kind, State
from saas.documents.models import Document, EntryState, NumberBook, NumberEntry
from tenants.context import use_tenant
from tests.core.vault import sealed_vault

CLERK = Actor(user_id=None, user_name="孙文", post_name="文书")
CLIENTS = 64


def restored_without(ref: TenantRef, which: str) -> None:
    """Leave the bureau without some numbers, as an older copy of it is; nobody at work could."""
    with connections["owner"].cursor() as owner:
        owner.execute(
            f'ALTER TABLE "{ref.schema}".documents_numberentry DISABLE TRIGGER append_only; '
            f'DELETE FROM "{ref.schema}".documents_numberentry WHERE {which}; '
            f'ALTER TABLE "{ref.schema}".documents_numberentry ENABLE TRIGGER append_only'
        )
    connections["owner"].close()


def new_mark() -> str:
    return "测" + "".join(random.choice("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥") for _ in range(8))


def waiting_documents(count: int) -> list[uuid.UUID]:
    made = [
        Document(state=State.SIGNED_OFF, title=f"第{n}件", direction=Direction.OUTGOING, kind=Kind.NOTICE)
        for n in range(count)
    ]
    return [document.id for document in Document.objects.bulk_create(made)]


def test_64_clients_take_numbers_while_connections_are_killed(committed: TenantRef) -> None:
    book = services.book_create(mark=new_mark(), year=2026, kinds=[], first=1, by=CLERK)
    ids = waiting_documents(CLIENTS * 3)
    left = iter([*ids, *ids])  # every document twice: two tabs, a back button
    take, errors = threading.Lock(), []

    def client() -> None:
        with use_tenant(committed):
            while True:
                with take:
                    document_id = next(left, None)
                if document_id is None:
                    break
                for _attempt in range(20):
                    try:
                        services.document_register_number(document_id=document_id, book_id=book.id, by=CLERK)
                        break
                    except DatabaseError:
                        connection.close()
                    except Exception as error:  # shown by the assertion below
                        errors.append(error)
                        break
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    stop = threading.Event()
    cut: list[int] = []
    cutter = threading.Thread(target=cut_connections, args=(stop, cut))
    cutter.start()
    for thread in threads:
        thread.join()
    stop.set()
    cutter.join()
    assert errors == []
    assert cut
    entries = list(NumberEntry.objects.filter(book=book).order_by("serial").values_list("serial", "document_id"))
    book.refresh_from_db()
    assert [serial for serial, _ in entries] == list(range(1, len(ids) + 1))
    assert {document for _, document in entries} == set(ids)
    assert book.next_serial == len(ids) + 1
    assert services.missing_numbers(book) == []


def cut_connections(stop: threading.Event, cut: list[int]) -> None:
    """Kill clients of the test database one by one, as a crashing process would."""
    import os

    import psycopg

    from tests.stack import SUPERUSER_VARIABLE

    url = os.environ[SUPERUSER_VARIABLE]
    with psycopg.connect(url, autocommit=True) as superuser:
        while not stop.wait(0.05):
            rows = superuser.execute(
                "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN ("
                " SELECT pid FROM pg_stat_activity WHERE query LIKE '%documents_number%'"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY random() LIMIT 2)"
            )
            cut.extend(pid for pid, done in rows if done)


def test_a_rolled_back_numbering_gives_the_number_back(in_alpha: TenantRef) -> None:
    book = services.book_create(mark=new_mark(), year=2026, kinds=[], first=7, by=CLERK)
    first, second = waiting_documents(2)

    def number_and_fail() -> None:
        with transaction.atomic():
            services.document_register_number(document_id=first, book_id=book.id, by=CLERK)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        number_and_fail()
    assert services.document_register_number(document_id=second, book_id=book.id, by=CLERK).number.endswith("〕7号")


def test_a_book_numbers_only_its_types(in_alpha: TenantRef) -> None:
    book = services.book_create(mark=new_mark(), year=2026, kinds=[Kind.LETTER], first=1, by=CLERK)
    (document,) = waiting_documents(1)
    with pytest.raises(Conflict):
        services.document_register_number(document_id=document, book_id=book.id, by=CLERK)
    assert Document.objects.get(id=document).state == State.SIGNED_OFF


def test_a_held_back_number_is_explained(in_alpha: TenantRef) -> None:
    book = services.book_create(mark=new_mark(), year=2026, kinds=[], first=1, by=CLERK)
    with pytest.raises(Invalid):
        services.number_reserve(book_id=book.id, reason="", by=CLERK)
    services.number_reserve(book_id=book.id, reason="联合发文待会签", by=CLERK)
    gaps = services.missing_numbers(NumberBook.objects.get(id=book.id))
    assert [(gap.first, gap.last, gap.reason) for gap in gaps] == [(1, 1, "联合发文待会签")]


def test_a_number_that_went_missing_in_the_table_shows_as_unexplained(in_alpha: TenantRef) -> None:
    book = services.book_create(mark=new_mark(), year=2026, kinds=[], first=1, by=CLERK)
    NumberBook.objects.filter(id=book.id).update(next_serial=4)
    NumberEntry.objects.create(book=book, serial=2, state=EntryState.VOID, reason="作废", at="2026-01-01T00:00:00Z")
    book.refresh_from_db()
    assert [(g.first, g.last, g.reason) for g in services.missing_numbers(book)] == [(2, 2, "作废"), (3, 3, "")]


@pytest.mark.parametrize(
    ("mark", "year", "first"), [("", 2026, 1), ("ABC", 2026, 1), ("云发", 26, 1), ("云发", 2026, 0)]
)
def test_a_book_that_cannot_be_is_refused(in_alpha: TenantRef, mark: str, year: int, first: int) -> None:
    with pytest.raises(Invalid):
        services.book_create(mark=mark, year=year, kinds=[], first=first, by=SYSTEM)
    assert not NumberBook.objects.filter(mark=mark).exists()


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM documents_numberentry",
        "TRUNCATE documents_numberentry",
        "UPDATE documents_numberentry SET serial = 9",
        "UPDATE documents_numberentry SET document_id = NULL, state = 'reserved'",
        "UPDATE documents_numberentry SET reason = '改写'",
        "UPDATE documents_numberentry SET title = '改写', state = 'void', reason = 'x'",
        "UPDATE documents_numberentry SET by_name = '他人', state = 'void', reason = 'x'",
    ],
)
def test_a_number_once_given_is_neither_removed_nor_rewritten(in_alpha: TenantRef, change: str) -> None:
    book = services.book_create(mark=new_mark(), year=2026, kinds=[], first=1, by=CLERK)
    entry = services.number_reserve(book_id=book.id, reason="联合发文待会签", by=CLERK)
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert getattr(refused.value.__cause__, "sqlstate", "") == "42501"
    services.number_void(entry_id=entry.id, reason="不再发文", by=CLERK)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        NumberEntry.objects.filter(id=entry.id).update(state=EntryState.RESERVED)
    entry.refresh_from_db()
    assert (entry.serial, entry.state, entry.reason) == (1, EntryState.VOID, "不再发文")


# --- A bureau restored from an older copy -------------------------------------------------------------------------
def test_a_restored_book_gives_no_number_twice(committed: TenantRef) -> None:
    year = 2026
    mark = new_mark()
    book = services.book_create(mark=mark, year=year, kinds=[], first=1, by=CLERK)
    documents = waiting_documents(4)
    for document_id in documents[:3]:
        services.document_register_number(document_id=document_id, book_id=book.id, by=CLERK)
    raise_number_mark(book_id=str(book.id))
    assert keys.number_mark(committed, f"{mark}〔{year}〕") == 3
    # The copy is from before the second number.
    restored_without(committed, "serial > 1")
    NumberBook.objects.filter(id=book.id).update(next_serial=2)
    with pytest.raises(services.BelowMark, match="暂停取号"):
        services.document_register_number(document_id=documents[3], book_id=book.id, by=CLERK)
    with pytest.raises(services.BelowMark):
        services.number_reserve(book_id=book.id, reason="预留", by=CLERK)
    held = Document.objects.get(id=documents[3])
    assert (held.state, held.number) == (State.SIGNED_OFF, "")
    assert NumberEntry.objects.filter(book=book).count() == 1
    with pytest.raises(Invalid):
        services.book_continue(book_id=book.id, reason=" ", by=CLERK)
    services.book_continue(book_id=book.id, reason="与用印登记核对无误", by=CLERK)
    services.document_register_number(document_id=documents[3], book_id=book.id, by=CLERK)
    assert Document.objects.get(id=documents[3]).number == f"{mark}〔{year}〕4号"
    book.refresh_from_db()
    assert [(gap.first, "核对无误" in gap.reason) for gap in services.missing_numbers(book)] == [(2, True), (3, True)]
    with pytest.raises(Conflict):
        services.book_continue(book_id=book.id, reason="再来", by=CLERK)


def test_a_book_lost_with_the_copy_and_opened_again_is_held_too(committed: TenantRef) -> None:
    mark = new_mark()
    keys.raise_number_mark(committed, f"{mark}〔2026〕", 40)
    book = services.book_create(mark=mark, year=2026, kinds=[], first=1, by=CLERK)
    with pytest.raises(services.BelowMark):
        services.document_register_number(document_id=waiting_documents(1)[0], book_id=book.id, by=CLERK)


def test_without_vault_no_number_is_taken(committed: TenantRef) -> None:
    book = services.book_create(mark=new_mark(), year=2026, kinds=[], first=1, by=CLERK)
    document_id = waiting_documents(1)[0]
    with sealed_vault(), pytest.raises(Unavailable, match="封存"):
        services.document_register_number(document_id=document_id, book_id=book.id, by=CLERK)
    assert Document.objects.get(id=document_id).state == State.SIGNED_OFF
    assert not NumberEntry.objects.filter(book=book).exists()

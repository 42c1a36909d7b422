"""What the people of a bureau write shows in their bureau alone: in no other table, file, log, job or figure."""

from __future__ import annotations

import io
import logging
import os
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import IntegrityError
from prometheus_client import REGISTRY, generate_latest
from pytest_django.plugin import DjangoDbBlocker

from saas.accounts.models import User
from saas.core.jobs import enqueue, job
from saas.core.jobs.registry import JOBS
from saas.core.jobs.services import failed_jobs
from saas.core.storage.backends import DiskBackend, backend
from tenants.agent import facts
from tenants.context import outside_tenants, use_tenant
from tenants.provisioning.create import bureau_remove
from tests.bureaus import create_bureau
from tests.isolation import canaries
from tests.isolation.canaries import Canary, Written
from tests.stack import FOLDER_VARIABLE
from tests.whole_way.conftest import sealer

__all__ = ["sealer"]
# Tables of the bureau in which the word must stand, or the search of the others would prove nothing.
WRITTEN_IN = {
    "accounts_user",
    "approvals_delegation",
    "approvals_flow",
    "approvals_opinion",
    "approvals_task",
    "audit_record",
    "documents_attachment",
    "documents_document",
    "documents_documentversion",
    "documents_numberbook",
    "documents_numberentry",
    "organisation_person",
    "organisation_post",
    "organisation_unit",
    "organisation_workbookimport",
    "regulations_article",
    "regulations_regulation",
    "seals_seal",
    "search_searchrow",
}


@job(queue="tests", attempts=1)
def twice_the_same_account(*, user_id: str) -> None:
    """Fail as a defect would: the database's error quotes the whole row."""
    known = User.objects.get(pk=user_id)
    User.objects.create(username=known.username, name=known.name, password="x")


@dataclass
class Ground:
    """Two bureaus at work, the word of what one sent to the other, and everything that was logged meanwhile."""

    first: Written
    second: Written
    crossing: Canary
    log: bytes

    def words(self) -> list[tuple[str, Canary]]:
        """Every word with the schema it belongs to."""
        return [(one.ref.schema, one.canary) for one in (self.first, self.second)]


def _browse(at: Written) -> None:
    """A day of clicking, with good and bad addresses and forms."""
    client, word = at.browser(), at.canary.word
    for address in ("/", "/tasks/", "/documents/drafts/", "/documents/outgoing/", "/directory/", "/regulations/"):
        assert client.get(address, {"q": word}).status_code == 200, address
    assert client.get("/search/", {"q": word}).status_code == 200
    assert client.get("/nowhere/", {"q": word}).status_code == 404
    assert client.post("/documents/new/", {"title": word * 20, "body": word}).status_code < 500
    assert client.post(f"/documents/{at.documents[0].id}/edit/", {"title": word}).status_code < 500
    assert client.post("/desk/filters/", {"page": "/tasks/", "name": at.canary.han, "query": f"q={word}"}).status_code


@pytest.fixture(scope="module")
def ground(sealer: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Ground]:
    """Both bureaus after a day's work."""
    stream = io.StringIO()
    handler = canaries.log_of(stream)
    root = logging.getLogger()
    level = root.level
    with django_db_blocker.unblock():
        mark = uuid.uuid4().hex[:6]
        refs = [create_bureau(code=f"can{letter}{mark}", name=f"测试{letter}局") for letter in "ab"]
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            first, second = (canaries.staff(ref, canaries.new_canary(ref.code[3])) for ref in refs)
            crossing = canaries.new_canary("x")
            for one, other in ((first, second), (second, first)):
                word = crossing if one is first else canaries.new_canary("y")
                canaries.write_everywhere(one, to_code=other.ref.code, crossing=word)
            for one in (first, second):
                _browse(one)
                with use_tenant(one.ref):
                    enqueue(twice_the_same_account, user_id=str(one.clerk.user_id))
            with outside_tenants():
                canaries.work_off()
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        yield Ground(first, second, crossing, stream.getvalue().encode())
        for ref in refs:
            bureau_remove(ref)


def test_the_word_stands_in_every_place_of_its_own_bureau(ground: Ground) -> None:
    tables = canaries.dump()
    for schema, canary in ground.words():
        assert {name for name, rows in tables[schema].items() if canary.shows_in(rows)} >= WRITTEN_IN


def test_no_table_outside_the_bureau_holds_its_word(ground: Ground) -> None:
    tables = canaries.dump()
    seen = [
        f"{schema}.{name}"
        for own, canary in ground.words()
        for schema, rows_of in tables.items()
        for name, rows in rows_of.items()
        if schema != own and canary.shows_in(rows)
    ]
    assert seen == []
    assert {"public", "cell"} <= set(tables)


def test_what_was_sent_stands_with_sender_and_receiver_alone(ground: Ground) -> None:
    tables = canaries.dump()
    holders = {schema for schema, rows_of in tables.items() if any(map(ground.crossing.shows_in, rows_of.values()))}
    assert holders == {ground.first.ref.schema, ground.second.ref.schema}


def test_no_stored_file_shows_a_word_on_disk(ground: Ground) -> None:
    disk = backend()
    assert isinstance(disk, DiskBackend)
    files = canaries.files_below(Path(disk.location))
    for schema, canary in ground.words():
        own = [name for name in files if name.startswith(f"{schema}/")]
        assert len(own) >= 6
        assert {len(name.split("/")[-1]) for name in own} == {36}
        assert [n for n, content in files.items() if canary.shows_in(content) or canary.shows_in(n.encode())] == []


def test_no_log_line_shows_a_word(ground: Ground) -> None:
    assert b"twice_the_same_account" in ground.log
    assert b"IntegrityError" in ground.log
    for _schema, canary in [*ground.words(), ("", ground.crossing)]:
        assert [line for line in ground.log.splitlines() if canary.shows_in(line)] == []


def test_no_log_of_the_servers_shows_a_word(ground: Ground) -> None:
    logs = canaries.files_below(Path(os.environ[FOLDER_VARIABLE]) / "log")
    assert any(b"accounts_user_username" in content for content in logs.values())
    for _schema, canary in [*ground.words(), ("", ground.crossing)]:
        assert [name for name, content in logs.items() if canary.shows_in(content)] == []


def test_no_figure_shows_a_word(ground: Ground) -> None:
    from prometheus_client import CollectorRegistry

    from monitoring.cell import CellCollector

    agent = CollectorRegistry()
    agent.register(CellCollector())
    told = [generate_latest(REGISTRY), generate_latest(agent), repr(facts.gather()).encode()]
    assert all(ground.first.ref.code.encode() in text for text in told[1:])
    assert b"yunshu_jobs_total" in told[0]
    for _schema, canary in ground.words():
        assert not any(map(canary.shows_in, told))


def test_a_failed_job_tells_its_bureau_the_kind_of_error_and_no_row(ground: Ground) -> None:
    with use_tenant(ground.first.ref):
        (failed,) = [item for item in failed_jobs() if item.task_name.endswith("twice_the_same_account")]
    assert failed.task_name in JOBS
    assert failed.last_error.startswith(IntegrityError.__name__)
    assert "accounts_user_username" in failed.last_error
    assert not ground.first.canary.shows_in(failed.last_error.encode())


def test_the_workbook_of_a_bureau_names_its_own_people_alone(ground: Ground) -> None:
    for own, other in ((ground.first, ground.second), (ground.second, ground.first)):
        with zipfile.ZipFile(io.BytesIO(own.workbook)) as book:
            content = b"".join(book.read(name) for name in book.namelist())
        assert own.canary.shows_in(content)
        assert not other.canary.shows_in(content)


def test_no_page_of_one_bureau_shows_the_others_word(ground: Ground) -> None:
    for own, other in ((ground.first, ground.second), (ground.second, ground.first)):
        client = own.browser()
        for address in ("/", "/tasks/", "/documents/outgoing/", "/documents/incoming/", "/directory/"):
            page = client.get(address)
            assert page.status_code == 200, address
            assert not other.canary.shows_in(page.content), address
        found = client.get("/search/", {"q": own.canary.latin})
        assert own.canary.han in found.content.decode()
        nothing = client.get("/search/", {"q": other.canary.latin})
        assert other.canary.han not in nothing.content.decode()

"""What people get wrong and what breaks under them: a clear sentence, the form kept, nothing half-done."""

from __future__ import annotations

import contextlib
import io
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from saas.core.audit.models import AuditRecord
from saas.core.errors import Invalid
from saas.core.keys import SealKeyKind
from saas.core.tenancy import TenantRef
from saas.documents import services
from saas.documents.kinds import State
from saas.documents.models import Attachment, Document, NumberBook
from saas.env import env
from saas.exchange.models import Dispatch, DispatchState
from saas.seals.models import Seal
from saas.seals.services import seal_create
from tests.core.vault import sealed_vault
from tests.documents.conftest import Office, draft_input
from tests.documents.test_pages import FORM
from tests.documents.test_services import numbered, scan

TITLE = "云州市人民政府关于做好防汛工作的通知"


@pytest.fixture
def drafter(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["drafter"])


@pytest.fixture
def clerk(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["clerk"])


@pytest.fixture
def beta_suspended(beta: TenantRef) -> Iterator[TenantRef]:
    """The other bureau, suspended for as long as the test runs."""
    from tenants.database.owner import owner_connection

    def state(value: str) -> None:
        with owner_connection() as owner:
            owner.execute("UPDATE public.tenants_bureau SET state = %s WHERE code = 'beta'", [value])

    state("suspended")
    yield beta
    state("active")


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Let this process write no file beyond a few bytes more than it has: the kernel refuses the rest."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def named(name: str, content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


def stored(tenant: TenantRef) -> list[Path]:
    return sorted(path for path in (env.files_root / tenant.schema).rglob("*") if path.is_file())


def registration(**changes: Any) -> dict[str, Any]:
    values = {
        "from_name": "云州市人民政府",
        "number": "云政发〔2026〕3号",
        "title": TITLE,
        "kind": "notice",
        "sensitivity": "internal",
        "received_on": timezone.localdate().isoformat(),
    }
    return values | changes


@pytest.mark.parametrize("title", ["   ", "\u3000\u3000", "题" * 151])
def test_a_registration_whose_title_is_blank_or_too_long_keeps_the_form(
    title: str, clerk: Client, in_alpha: TenantRef
) -> None:
    before = stored(in_alpha)
    answer = clerk.post("/documents/incoming/new/", registration(title=title, scan=named("a.pdf", scan())))
    assert answer.status_code == 422
    assert "云政发〔2026〕3号" in answer.content.decode()
    assert not Document.objects.exists()
    assert not NumberBook.objects.exists()
    assert stored(in_alpha) == before


def test_a_scan_whose_name_says_something_else_is_refused(clerk: Client) -> None:
    answer = clerk.post("/documents/incoming/new/", registration(scan=named("扫描.jpg", scan())))
    assert answer.status_code == 422
    assert "扫描.jpg" in answer.content.decode()
    assert TITLE in answer.content.decode()
    assert not Document.objects.exists()


def test_an_attachment_that_is_not_what_its_name_says_is_refused_on_its_page(drafter: Client, office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    url = f"/documents/{document.id}/files/"
    answer = drafter.post(url, {"file": named("预算表.xlsx", b"%PDF-1.7 not a workbook")})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "预算表.xlsx" in page
    assert document.written.title in page
    told = drafter.post(url, {"file": named("a.pdf", b"MZ\x90\x00")}, headers={"accept": "application/json"})
    assert (told.status_code, told.json()["code"]) == (422, "file.wrong_type")
    assert not Attachment.objects.exists()


def test_a_character_no_font_has_stops_the_submission_and_is_named(drafter: Client, office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    url = f"/documents/{document.id}/edit/"
    answer = drafter.post(url, FORM | {"version": "1", "then": "submit", "body": "祝贺😀全市。"})
    assert answer.status_code == 422
    assert "U+1F600" in answer.content.decode()
    assert "祝贺😀全市。" in answer.content.decode()
    document.refresh_from_db()
    assert (document.state, document.flow_instance_id) == (State.DRAFTING, None)
    assert document.written.body == "祝贺😀全市。"


def test_a_suspended_recipient_stops_the_submission(office: Office, beta_suspended: TenantRef) -> None:
    document = services.document_draft(draft=draft_input(recipient_codes=("beta",)), by=office.drafter)
    with pytest.raises(Invalid) as refusal:
        services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    assert "已停用" in str(refusal.value.fields["recipients"])
    document.refresh_from_db()
    assert document.state == State.DRAFTING


def sealed_document(office: Office, run_jobs: Callable[[], int]) -> Document:
    from saas.core.storage import store

    document = numbered(office)
    run_jobs()
    kept = store(name_prefix="documents/sealed", stream=b"%PDF-sealed", content_type="application/pdf")
    services.attach_sealed_pdf(document.id, kept, office.clerk)
    document.refresh_from_db()
    return document


def test_a_suspended_recipient_is_refused_by_name_and_the_choice_is_kept(
    clerk: Client, office: Office, run_jobs: Callable[[], int], beta_suspended: TenantRef
) -> None:
    document = sealed_document(office, run_jobs)
    answer = clerk.post(f"/documents/{document.id}/send/", {"to": ["beta"]})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert beta_suspended.name in page
    assert "已停用" in page
    assert not Dispatch.objects.exists()
    document.refresh_from_db()
    assert document.state == State.SEALED


def test_a_recipient_suspended_after_the_sending_is_told_as_not_delivered(
    clerk: Client, office: Office, run_jobs: Callable[[], int], beta: TenantRef, request: pytest.FixtureRequest
) -> None:
    document = sealed_document(office, run_jobs)
    assert clerk.post(f"/documents/{document.id}/send/", {"to": ["beta"]}).status_code == 302
    request.getfixturevalue("beta_suspended")
    run_jobs()
    dispatch = Dispatch.objects.get(document_id=document.id)
    assert dispatch.state == DispatchState.FAILED
    assert "停用" in dispatch.reason


def test_a_full_disk_keeps_the_registration_form_and_stores_nothing(clerk: Client, in_alpha: TenantRef) -> None:
    before = stored(in_alpha)
    large = scan() + b"\n%" + bytes(700_000)
    with full_disk():
        answer = clerk.post("/documents/incoming/new/", registration(scan=named("a.pdf", large)))
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "存储空间已满" in page
    assert "云政发〔2026〕3号" in page
    assert not Document.objects.exists()
    assert not NumberBook.objects.exists()
    assert stored(in_alpha) == before


def test_a_full_disk_refuses_an_attachment_on_its_page(drafter: Client, office: Office, in_alpha: TenantRef) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    before = stored(in_alpha)
    with full_disk():
        answer = drafter.post(f"/documents/{document.id}/files/", {"file": named("a.txt", b"a" * 700_000)})
    assert answer.status_code == 503
    assert "存储空间已满" in answer.content.decode()
    assert document.written.title in answer.content.decode()
    assert not Attachment.objects.exists()
    assert stored(in_alpha) == before


def test_a_sealed_vault_keeps_the_forms_and_nothing_is_stored_or_asked_for(
    drafter: Client, clerk: Client, office: Office, in_alpha: TenantRef, run_jobs: Callable[[], int]
) -> None:
    document = numbered(office)
    draft = services.document_draft(draft=draft_input(), by=office.drafter)
    holder = office.clerk.post_id
    assert holder is not None
    seal_create(
        name="云州市大数据发展管理局",
        caption="",
        diameter_mm=42,
        key_kind=SealKeyKind.ECDSA_P256,
        holder_posts=[holder],
        by=office.clerk,
    )
    run_jobs()
    document.refresh_from_db()
    seal = Seal.objects.get()
    before, trail = stored(in_alpha), AuditRecord.objects.count()
    with sealed_vault():
        answers = {
            "scan": clerk.post("/documents/incoming/new/", registration(scan=named("a.pdf", scan()))),
            "file": drafter.post(f"/documents/{draft.id}/files/", {"file": named("a.txt", b"text")}),
            "seal": clerk.post(f"/documents/{document.id}/seal/", {"seal": str(seal.id)}),
        }
        written = drafter.post(f"/documents/{draft.id}/autosave/", FORM | {"version": "1", "body": "写作不受影响"})
    pages = {key: answer.content.decode() for key, answer in answers.items()}
    assert {key: answer.status_code for key, answer in answers.items()} == dict.fromkeys(answers, 503)
    assert all("封存" in page for page in pages.values())
    assert "云政发〔2026〕3号" in pages["scan"]
    assert draft.written.title in pages["file"]
    assert f'value="{seal.id}" checked' in pages["seal"]
    assert written.status_code == 200
    document.refresh_from_db()
    assert document.state == State.RENDERED
    assert (stored(in_alpha), AuditRecord.objects.count()) == (before, trail)
    assert run_jobs() == 0


@pytest.mark.parametrize("after", ["²", "１２", "9" * 40, "-1", "x", "\u0665"])
def test_a_ledgers_place_that_is_no_number_is_taken_for_its_beginning(
    clerk: Client, after: str, office: Office
) -> None:
    book = services.book_create(mark="云数发", year=timezone.localdate().year, kinds=[], first=1, by=office.clerk)
    assert clerk.get(f"/documents/books/{book.id}/", {"after": after}).status_code == 200

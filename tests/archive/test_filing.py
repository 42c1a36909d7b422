"""Filing: what is packed and checked, what a refused record becomes, and what the trail says of each step."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from saas.accounts.services import role_grant
from saas.archive import jobs
from saas.archive.models import Record, RecordState
from saas.archive.services import record_file
from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict, Invalid
from saas.core.storage import StoredObject, exists, store
from saas.documents import services
from saas.documents.kinds import State
from saas.documents.models import Attachment, Document
from tests.documents.conftest import Office, as_user, draft_input, office
from tests.documents.test_services import incoming_input, scan, sign

__all__ = ["as_user", "office"]


def sealed(office: Office, run_jobs: Callable[[], int], *, pdf: bytes, **files: bytes) -> Document:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    for name, content in files.items():
        services.attachment_add(
            document_id=document.id, name=name.replace("_", "."), stream=io.BytesIO(content), by=office.drafter
        )
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    sign(document, office)
    book = services.book_create(mark="云数发", year=timezone.localdate().year, kinds=[], first=1, by=office.clerk)
    services.document_register_number(document_id=document.id, book_id=book.id, by=office.clerk)
    run_jobs()
    kept = store(name_prefix="documents/sealed", stream=pdf, content_type="application/pdf")
    services.attach_sealed_pdf(document.id, kept, office.clerk)
    document.refresh_from_db()
    return document


def repaired(document: Document, pdf: bytes) -> None:
    """Put a file that opens in place of the broken one."""
    kept = store(name_prefix="documents/sealed", stream=pdf, content_type="application/pdf")
    Document.objects.filter(id=document.id).update(sealed_name=kept.name, sealed_sha256=kept.sha256)


def failures(record: Record) -> list[str]:
    return [check["name"] for check in record.checks if check["outcome"] == "failed"]


def events(record: Record) -> list[str]:
    found = AuditRecord.objects.filter(target_id=str(record.id)).order_by("id")
    return [entry.event for entry in found]


def test_a_refused_record_is_filed_again_under_its_number(office: Office, run_jobs: Callable[[], int]) -> None:
    document = sealed(office, run_jobs, pdf=b"%PDF-broken")
    asked = record_file(document_id=document.id, retention="D30", by=office.clerk)
    run_jobs()
    refused = Record.objects.get()
    assert (refused.state, failures(refused)) == (RecordState.REFUSED, ["文件可以打开"])
    assert refused.filed_at is None
    with pytest.raises(Invalid):
        record_file(document_id=document.id, retention="Y", by=office.clerk)
    repaired(document, scan())
    record_file(document_id=document.id, retention="D30", by=office.clerk)
    run_jobs()
    filed = Record.objects.get()
    assert (filed.id, filed.archive_number) == (asked.id, asked.archive_number)
    assert (filed.state, failures(filed)) == (RecordState.FILED, [])
    assert filed.filed_at
    assert events(filed) == ["record.asked_for", "record.refused", "record.asked_for", "record.filed"]
    with pytest.raises(Conflict):
        record_file(document_id=document.id, retention="D30", by=office.clerk)


def test_the_package_of_a_refused_record_does_not_stay(
    office: Office,
    run_jobs: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    stored = []

    def keep(**about: Any) -> StoredObject:
        stored.append(store(**about))
        return stored[-1]

    monkeypatch.setattr(jobs, "store", keep)
    document = sealed(office, run_jobs, pdf=b"%PDF-broken")
    record_file(document_id=document.id, retention="D30", by=office.clerk)
    with django_capture_on_commit_callbacks(execute=True):
        run_jobs()
        assert exists(stored[-1].name)
    assert not exists(stored[-1].name)
    assert not Record.objects.get().package_name


def test_the_page_of_a_refused_record_leads_to_filing_it_again(
    office: Office, run_jobs: Callable[[], int], as_user: Callable[..., Client]
) -> None:
    role_grant(user_id=office.users["clerk"].id, role=Role.ARCHIVIST, by=SYSTEM)
    document = sealed(office, run_jobs, pdf=b"%PDF-broken")
    record = record_file(document_id=document.id, retention="Y", by=office.clerk)
    run_jobs()
    page = f"/documents/{document.id}/file/"
    archivist = as_user(office.users["clerk"])
    assert page in archivist.get(f"/archive/{record.id}/").content.decode()
    assert page not in as_user(office.users["drafter"]).get(f"/archive/{record.id}/").content.decode()
    form = archivist.get(page).content.decode()
    assert 'value="Y" checked' in form
    assert archivist.post(page, {"retention": "Y"}).status_code == 302
    assert Record.objects.get().state == RecordState.FILING


def test_a_scan_that_came_as_a_picture_is_filed_as_one(office: Office, run_jobs: Callable[[], int]) -> None:
    picture = io.BytesIO()
    Image.new("L", (40, 60), 255).save(picture, "PNG")
    document = services.incoming_register(incoming=incoming_input(), pdf=picture.getvalue(), by=office.clerk)
    sign(document, office)
    record_file(document_id=document.id, retention="D30", by=office.clerk)
    run_jobs()
    filed = Record.objects.get()
    assert (filed.state, failures(filed)) == (RecordState.FILED, [])
    assert {(item["name"], item["content_type"]) for item in filed.items} >= {("document.png", "image/png")}


def test_whatever_may_be_attached_may_be_filed(office: Office, run_jobs: Callable[[], int]) -> None:
    text = "一，二\n".encode()
    document = sealed(office, run_jobs, pdf=scan(), 预算表_txt=text, 说明_docx=office_file("word/document.xml"))
    record_file(document_id=document.id, retention="D30", by=office.clerk)
    run_jobs()
    filed = Record.objects.get()
    assert (filed.state, failures(filed)) == (RecordState.FILED, [])
    document.refresh_from_db()
    assert document.state == State.FILED


def office_file(name: str) -> bytes:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "<x/>")
    return out.getvalue()


@pytest.mark.parametrize("change", ["lost", "other", "added"])
def test_attachments_that_are_not_the_signed_ones_are_refused(
    office: Office, run_jobs: Callable[[], int], change: str
) -> None:
    document = sealed(office, run_jobs, pdf=scan(), 说明_txt="甲\n".encode())
    file = Attachment.objects.get(document=document)
    if change == "lost":
        file.delete()
    else:
        kept = store(name_prefix="documents/files", stream="乙\n".encode(), content_type="text/plain")
        file.stored_name, file.sha256, file.size = kept.name, kept.sha256, kept.size
        if change == "added":
            file.pk = None
            file._state.adding = True
        file.save()
    record_file(document_id=document.id, retention="D30", by=office.clerk)
    run_jobs()
    record = Record.objects.get()
    assert (record.state, failures(record)) == (RecordState.REFUSED, ["附件齐全"])

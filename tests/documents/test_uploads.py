"""Uploads in pieces: broken off and gone on with, checked at the end, refused like any attachment, never half-kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from saas.core.errors import Conflict, NotFound, Unavailable
from saas.core.storage import exists, open_object, store
from saas.documents import services
from saas.documents.jobs import forget_uploads
from saas.documents.models import Attachment, Document, DocumentUpload
from saas.documents.selectors import parts_named
from saas.documents.services import drafting, uploads
from tests.core.vault import sealed_vault
from tests.documents.conftest import Office, draft_input

FILE = b"%PDF-1.7\n" + os.urandom(2 * uploads.PIECE_BYTES + 12345)
DIGEST = hashlib.sha256(FILE).hexdigest()


@pytest.fixture
def document(office: Office) -> Document:
    return services.document_draft(draft=draft_input(), by=office.drafter)


@pytest.fixture
def drafter(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["drafter"])


def begin(client: Client, document: Document, **changes: Any) -> Any:
    values = {"name": "预算.pdf", "size": str(len(FILE)), "fingerprint": "1"} | changes
    return client.post(f"/documents/{document.id}/uploads/", values, headers={"accept": "application/json"})


def put(client: Client, document: Document, upload: str, offset: int, data: bytes) -> Any:
    return client.put(
        f"/documents/{document.id}/uploads/{upload}/",
        data,
        content_type="application/octet-stream",
        headers={"upload-offset": str(offset), "accept": "application/json"},
    )


def finish(client: Client, document: Document, upload: str, sha256: str = DIGEST) -> Any:
    url = f"/documents/{document.id}/uploads/{upload}/finish/"
    return client.post(url, {"sha256": sha256}, headers={"accept": "application/json"})


def test_an_upload_that_broke_off_goes_on_where_it_stopped(
    drafter: Client, document: Document, django_capture_on_commit_callbacks: Any
) -> None:
    begun = begin(drafter, document).json()
    assert (begun["offset"], begun["piece"]) == (0, uploads.PIECE_BYTES)
    first = put(drafter, document, begun["id"], 0, FILE[: uploads.PIECE_BYTES])
    assert first.json() == {"offset": uploads.PIECE_BYTES}
    # The answer was lost, the page closed; the same file is chosen again.
    again = begin(drafter, document).json()
    assert (again["id"], again["offset"]) == (begun["id"], uploads.PIECE_BYTES)
    repeated = put(drafter, document, begun["id"], 0, FILE[: uploads.PIECE_BYTES])
    assert (repeated.status_code, repeated.json()["offset"]) == (409, uploads.PIECE_BYTES)
    early = finish(drafter, document, begun["id"])
    assert (early.status_code, early.json()["offset"]) == (409, uploads.PIECE_BYTES)
    at = uploads.PIECE_BYTES
    while at < len(FILE):
        at = put(drafter, document, begun["id"], at, FILE[at : at + uploads.PIECE_BYTES]).json()["offset"]
    parts = list(DocumentUpload.objects.get().parts)
    assert parts_named([*parts, "other"]) == set(parts)
    with django_capture_on_commit_callbacks(execute=True):
        done = finish(drafter, document, begun["id"])
    assert done.status_code == 200
    kept = Attachment.objects.get()
    assert (str(kept.id), kept.name, kept.sha256, kept.size) == (done.json()["id"], "预算.pdf", DIGEST, len(FILE))
    with open_object(kept.stored_name) as file:
        assert file.read() == FILE
    assert not DocumentUpload.objects.exists()
    assert not any(exists(name) for name in parts)
    assert finish(drafter, document, begun["id"]).status_code == 404


def whole(client: Client, document: Document, content: bytes, name: str) -> str:
    begun = begin(client, document, name=name, size=str(len(content))).json()
    assert put(client, document, begun["id"], 0, content).status_code == 200
    upload: str = begun["id"]
    return upload


@pytest.mark.parametrize(
    ("content", "name", "sha256", "code"),
    [
        (b"%PDF-1.7 x", "a.pdf", "0" * 64, "upload.digest"),
        (b"MZ\x90\x00\x03", "a.pdf", "", "file.wrong_type"),
        (b"%PDF-1.7 x", "a.docx", "", "file.wrong_name"),
    ],
)
def test_what_is_refused_at_the_end_leaves_nothing(
    content: bytes,
    name: str,
    sha256: str,
    code: str,
    drafter: Client,
    document: Document,
    django_capture_on_commit_callbacks: Any,
) -> None:
    upload = whole(drafter, document, content, name)
    (part,) = DocumentUpload.objects.get().parts
    with django_capture_on_commit_callbacks(execute=True):
        answer = finish(drafter, document, upload, sha256 or hashlib.sha256(content).hexdigest())
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Attachment.objects.exists()
    assert not DocumentUpload.objects.exists()
    assert not exists(part)


def test_limits_hold_before_anything_is_sent(drafter: Client, document: Document) -> None:
    too_large = begin(drafter, document, size="100000000")
    assert (too_large.status_code, "MB" in too_large.json()["message"]) == (413, True)
    assert begin(drafter, document, size="0").status_code == 422
    assert begin(drafter, document, size="-1").status_code == 400
    begun = begin(drafter, document, size="10").json()["id"]
    assert put(drafter, document, begun, 0, b"x" * 11).status_code == 413
    assert put(drafter, document, begun, 5, b"x").status_code == 409
    assert DocumentUpload.objects.get().received == 0
    for number in range(uploads.MOST_AT_ONCE - 1):
        assert begin(drafter, document, name=f"{number}.pdf").status_code == 200
    assert begin(drafter, document, name="one-more.pdf").status_code == 422


def test_nobody_goes_on_with_another_persons_upload(
    drafter: Client, document: Document, office: Office, as_user: Callable[..., Client]
) -> None:
    begun = begin(drafter, document).json()["id"]
    leader = as_user(office.users["leader"])
    assert begin(leader, document).status_code == 404
    assert put(leader, document, begun, 0, b"x").status_code == 404
    assert finish(leader, document, begun).status_code == 404
    assert leader.delete(f"/documents/{document.id}/uploads/{begun}/").status_code == 404
    assert DocumentUpload.objects.get().received == 0
    assert drafter.delete(f"/documents/{document.id}/uploads/{begun}/").status_code == 200
    assert not DocumentUpload.objects.exists()


def test_a_sealed_vault_keeps_what_has_arrived(office: Office, document: Document) -> None:
    upload = uploads.upload_begin(document_id=document.id, name="a.pdf", size=20, fingerprint="", by=office.drafter)
    uploads.upload_piece(upload_id=upload.id, offset=0, data=b"%PDF-1.7 x", by=office.drafter)
    with sealed_vault(), pytest.raises(Unavailable):
        uploads.upload_piece(upload_id=upload.id, offset=10, data=b"0123456789", by=office.drafter)
    uploads.upload_piece(upload_id=upload.id, offset=10, data=b"0123456789", by=office.drafter)
    sha256 = hashlib.sha256(b"%PDF-1.7 x0123456789").hexdigest()
    assert uploads.upload_finish(upload_id=upload.id, sha256=sha256, by=office.drafter).size == 20


@pytest.mark.parametrize("other", ["finish", "cancel"])
def test_what_ends_an_upload_while_it_is_being_finished_ends_it_once(
    other: str, office: Office, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploads.upload_begin(document_id=document.id, name="a.txt", size=4, fingerprint="", by=office.drafter)
    uploads.upload_piece(upload_id=upload.id, offset=0, data=b"text", by=office.drafter)
    sha256 = hashlib.sha256(b"text").hexdigest()

    def store_meanwhile(**values: Any) -> Any:
        """The file is being kept, and a second tab comes first."""
        monkeypatch.setattr(drafting, "store", store)
        if other == "finish":
            uploads.upload_finish(upload_id=upload.id, sha256=sha256, by=office.drafter)
        else:
            uploads.upload_cancel(upload_id=upload.id, by=office.drafter)
        return store(**values)

    monkeypatch.setattr(drafting, "store", store_meanwhile)
    with pytest.raises(NotFound):
        uploads.upload_finish(upload_id=upload.id, sha256=sha256, by=office.drafter)
    assert Attachment.objects.count() == (1 if other == "finish" else 0)
    assert not DocumentUpload.objects.exists()


def test_an_upload_to_a_document_that_left_is_refused(office: Office, document: Document) -> None:
    upload = uploads.upload_begin(document_id=document.id, name="a.txt", size=4, fingerprint="", by=office.drafter)
    uploads.upload_piece(upload_id=upload.id, offset=0, data=b"text", by=office.drafter)
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    with pytest.raises(Conflict):
        uploads.upload_finish(upload_id=upload.id, sha256=hashlib.sha256(b"text").hexdigest(), by=office.drafter)
    with pytest.raises(Conflict):
        uploads.upload_begin(document_id=document.id, name="b.txt", size=4, fingerprint="", by=office.drafter)
    assert not Attachment.objects.exists()


def test_an_upload_left_for_two_days_is_given_up(office: Office, document: Document) -> None:
    upload = uploads.upload_begin(document_id=document.id, name="a.txt", size=4, fingerprint="", by=office.drafter)
    forget_uploads()
    assert DocumentUpload.objects.exists()
    DocumentUpload.objects.filter(id=upload.id).update(changed_at=timezone.now() - timedelta(days=3))
    forget_uploads()
    with pytest.raises(NotFound):
        uploads.upload_cancel(upload_id=upload.id, by=office.drafter)

"""A file that somebody changed on the disk: its reader is told by name, and the trail keeps that it was met."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.test import Client

from saas.core.audit.models import AuditRecord
from saas.documents import services
from saas.env import env
from tests.documents.conftest import Office, draft_input


@pytest.mark.parametrize("left", [0, 40, -1], ids=["empty", "cut", "one byte short"])
def test_a_file_that_was_changed_is_a_named_503_and_never_content(
    office: Office, as_user: Callable[..., Client], left: int
) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    drafter = as_user(office.users["drafter"])
    upload = io.BytesIO("附件内容".encode())
    upload.name = "说明.txt"
    drafter.post(f"/documents/{document.id}/files/", {"file": upload})
    attachment = document.files.get()
    place = env.files_root / attachment.stored_name
    place.write_bytes(place.read_bytes()[:left])
    answer = drafter.get(f"/documents/{document.id}/files/{attachment.id}/", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (503, "file.damaged")
    kept = AuditRecord.objects.get(event="file.damaged", target_id=attachment.stored_name)
    assert kept.request_id == answer["X-Request-ID"]

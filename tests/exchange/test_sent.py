"""Who sent a document sees on its page what became of it at every bureau."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict
from saas.core.storage import store
from saas.core.tenancy import TenantRef
from saas.documents import services
from saas.documents.models import Attachment, Document
from saas.exchange import jobs
from saas.exchange.models import Dispatch, DispatchState
from saas.exchange.services import document_send
from tests.documents.conftest import Office, as_user, draft_input, office
from tests.documents.test_bad_input import sealed_document

__all__ = ["as_user", "office"]


def test_after_sending_the_page_tells_who_signed_for_it_and_who_returned_it(
    office: Office, as_user: Callable[..., Client], run_jobs: Callable[[], int]
) -> None:
    document = sealed_document(office, run_jobs)
    clerk = as_user(office.users["clerk"])
    assert f'pri" href="/documents/{document.id}/send/' in clerk.get(f"/documents/{document.id}/").content.decode()
    services.mark_sent(document.id, by=office.clerk)
    told = {"document_id": document.id, "asked_by": "孙文", "answered_at": timezone.now()}
    Dispatch.objects.create(
        to_code="beta", to_name="乙局", state=DispatchState.SIGNED_FOR, answered_by="何若兰（文书）", **told
    )
    Dispatch.objects.create(
        to_code="gamma", to_name="丙局", state=DispatchState.RETURNED, answered_by="许强", reason="主送有误", **told
    )
    page = clerk.get(f"/documents/{document.id}/").content.decode()
    assert f'hx-get="/documents/{document.id}/dispatches/"' in page
    assert f'pri" href="/documents/{document.id}/send/' not in page
    assert "发送其他单位" in page
    drafter = as_user(office.users["drafter"])
    card = drafter.get(f"/documents/{document.id}/dispatches/").content.decode()
    for word in ("1 / 2 已签收", "乙局", "何若兰（文书）", "丙局", "主送有误", "已退文"):
        assert word in card


def test_what_could_not_be_delivered_is_sent_again(
    office: Office, as_user: Callable[..., Client], run_jobs: Callable[[], int], beta: TenantRef
) -> None:
    document = sealed_document(office, run_jobs)
    services.mark_sent(document.id, by=office.clerk)
    failed = Dispatch.objects.create(
        document_id=document.id,
        to_code="beta",
        to_name="乙局",
        state=DispatchState.FAILED,
        reason="已停用",
        asked_by="孙文",
    )
    clerk = as_user(office.users["clerk"])
    page = clerk.get(f"/documents/{document.id}/send/").content.decode()
    assert "disabled" not in page[page.index('value="beta"') :].split(">")[0]
    assert clerk.post(f"/documents/{document.id}/send/", {"to": ["beta"]}).status_code == 302
    assert Dispatch.objects.get().state == DispatchState.SENDING
    jobs.send(dispatch_id=str(failed.id))
    failed.refresh_from_db()
    assert (failed.state, failed.reason) == (DispatchState.SENT, "")


def test_what_failed_is_in_the_trail_and_never_undoes_what_was_sent(
    office: Office, run_jobs: Callable[[], int], beta: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = sealed_document(office, run_jobs)
    document_send(document_id=document.id, to_codes=["beta"], by=office.clerk)
    dispatch = Dispatch.objects.get()

    def refuse(**_: object) -> None:
        raise Conflict("没有发送。")

    def sent_meanwhile(**_: object) -> None:
        Dispatch.objects.update(state=DispatchState.SENT)
        raise Conflict("没有发送。")

    monkeypatch.setattr(jobs, "deliver", sent_meanwhile)
    jobs.send(dispatch_id=str(dispatch.id))
    assert Dispatch.objects.get().state == DispatchState.SENT
    assert not AuditRecord.objects.filter(event="document.undelivered").exists()
    Dispatch.objects.update(state=DispatchState.SENDING)
    monkeypatch.setattr(jobs, "deliver", refuse)
    jobs.send(dispatch_id=str(dispatch.id))
    assert Dispatch.objects.get().state == DispatchState.FAILED
    assert AuditRecord.objects.get(event="document.undelivered").target_id == str(dispatch.id)


@pytest.mark.parametrize("changed", ["sealed", "attached"])
def test_only_what_was_signed_and_sealed_is_sent(
    office: Office, run_jobs: Callable[[], int], beta: TenantRef, changed: str
) -> None:
    document = sealed_document(office, run_jobs)
    kept = store(name_prefix="documents/sealed", stream=b"%PDF-other", content_type="application/pdf")
    if changed == "sealed":
        Document.objects.filter(id=document.id).update(sealed_name=kept.name)
    else:
        Attachment.objects.create(
            document=document,
            name="b.pdf",
            stored_name=kept.name,
            sha256=kept.sha256,
            size=kept.size,
            content_type=kept.content_type,
        )
    document_send(document_id=document.id, to_codes=["beta"], by=office.clerk)
    run_jobs()
    dispatch = Dispatch.objects.get()
    assert dispatch.state == DispatchState.FAILED
    assert "不一致，没有发送" in dispatch.reason


def test_a_document_one_may_not_read_tells_nothing(office: Office, as_user: Callable[..., Client]) -> None:
    draft = services.document_draft(draft=draft_input(), by=office.drafter)
    leader = as_user(office.users["leader"])
    assert leader.get(f"/documents/{draft.id}/dispatches/").status_code == 404

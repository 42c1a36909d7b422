"""Who sent a document sees on its page what became of it at every bureau."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.utils import timezone

from saas.core.tenancy import TenantRef
from saas.documents import services
from saas.exchange import jobs
from saas.exchange.models import Dispatch, DispatchState
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


def test_a_document_one_may_not_read_tells_nothing(office: Office, as_user: Callable[..., Client]) -> None:
    draft = services.document_draft(draft=draft_input(), by=office.drafter)
    leader = as_user(office.users["leader"])
    assert leader.get(f"/documents/{draft.id}/dispatches/").status_code == 404

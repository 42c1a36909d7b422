"""签收 and 退文 with the rights each process has in Vault; only the receiver answers, and nobody prevents it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from saas.accounts.services import role_grant
from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.audit.models import AuditRecord
from saas.core.errors import Unavailable
from saas.core.storage import store
from saas.core.tenancy import TenantRef
from saas.documents import services
from saas.documents.models import Document
from saas.env import Process, Zone
from saas.exchange import jobs
from saas.exchange.models import Delivery, DeliveryState, Dispatch, DispatchState
from saas.exchange.services import document_send
from saas.exchange.spool import packages
from saas.exchange.spool.packages import Manifest, Package
from tenants.context import use_tenant
from tenants.database.owner import owner_connection
from tests.core.vault import acting_as, approle_client
from tests.documents.conftest import Office, draft_input, install_flow, make_office, office
from tests.documents.test_services import numbered, scan

__all__ = ["office"]


@pytest.fixture
def dispatch(office: Office, beta: TenantRef, run_jobs: Callable[[], int]) -> Dispatch:
    """A document of alpha's that has arrived at beta."""
    with use_tenant(beta):
        install_flow(make_office(), "incoming")
    document = numbered(office)
    run_jobs()
    sealed = store(name_prefix="documents/sealed", stream=scan(), content_type="application/pdf")
    services.attach_sealed_pdf(document.id, sealed, office.clerk)
    document_send(document_id=document.id, to_codes=["beta"], by=office.clerk)
    run_jobs()
    return Dispatch.objects.get()


@pytest.fixture
def at_beta(dispatch: Dispatch, beta: TenantRef, as_user: Callable[..., Client]) -> Client:
    """Beta's clerk in a browser; the web process has only its own rights in Vault."""
    from saas.accounts.models import User

    with use_tenant(beta):
        client = as_user(User.objects.get(name="孙文"), bureau=beta)
    ask = client.request

    def request(**environ: Any) -> Any:
        with acting_as(approle_client(Zone.INTRANET, Process.WEB)):
            return ask(**environ)

    client.request = request  # type: ignore[method-assign]
    return client


def jobs_run(run_jobs: Callable[[], int]) -> None:
    with acting_as(approle_client(Zone.INTRANET, Process.JOBS)):
        run_jobs()


def test_the_desk_signs_for_it_at_once_and_a_job_tells_the_sender(
    at_beta: Client, dispatch: Dispatch, alpha: TenantRef, beta: TenantRef, run_jobs: Callable[[], int]
) -> None:
    answer = at_beta.post(f"/deliveries/{dispatch.id}/sign/")
    assert answer.status_code == 302
    with use_tenant(beta):
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.answered_by[:2]) == (DeliveryState.SIGNED_FOR, "孙文")
        assert delivery.document_id
        assert Document.objects.get(id=delivery.document_id).register_number
    assert "已签收" in at_beta.get(f"/deliveries/{dispatch.id}/").content.decode()
    jobs_run(run_jobs)
    with use_tenant(alpha):
        dispatch.refresh_from_db()
        assert (dispatch.state, dispatch.answered_by) == (DispatchState.SIGNED_FOR, delivery.answered_by)


def test_the_desk_returns_it_with_the_reason(
    at_beta: Client, dispatch: Dispatch, alpha: TenantRef, run_jobs: Callable[[], int]
) -> None:
    assert at_beta.post(f"/deliveries/{dispatch.id}/return/", {"reason": "附件缺页。"}).status_code == 302
    jobs_run(run_jobs)
    with use_tenant(alpha):
        dispatch.refresh_from_db()
        assert (dispatch.state, dispatch.reason) == (DispatchState.RETURNED, "附件缺页。")


def test_an_answer_that_is_tried_twice_arrives_once(
    at_beta: Client, dispatch: Dispatch, alpha: TenantRef, beta: TenantRef, run_jobs: Callable[[], int]
) -> None:
    at_beta.post(f"/deliveries/{dispatch.id}/sign/")
    jobs_run(run_jobs)
    with use_tenant(beta):
        jobs.answer(delivery_id=str(dispatch.id))
        with connection.cursor() as cursor:
            # Another text under an id this bureau has used is refused, not swallowed.
            cursor.execute("SELECT cell.exchange_post(%s, 'return', 'alpha', '{}', 'x', '')", [dispatch.id])
            cursor.execute("SELECT cell.exchange_post(%s, 'return', 'alpha', '[]', 'x', '')", [dispatch.id])
            assert cursor.fetchone() == (False,)


def _without_squatters() -> None:
    with owner_connection() as owner:
        owner.execute("DELETE FROM cell.exchange_spool WHERE from_tenant = 'b_000000000000'")


def test_another_bureau_cannot_stand_in_the_receipts_way(
    at_beta: Client,
    dispatch: Dispatch,
    alpha: TenantRef,
    run_jobs: Callable[[], int],
    request: pytest.FixtureRequest,
) -> None:
    # The squatter posts first, under the id of a dispatch it has learnt of.
    with owner_connection() as owner:
        owner.execute(
            "INSERT INTO cell.exchange_spool (id, kind, from_tenant, to_tenant, manifest, signature, object_name) "
            "VALUES (%s, 'receipt', 'b_000000000000', %s, '{}', 'x', '')",
            [dispatch.id, alpha.schema],
        )
    request.addfinalizer(_without_squatters)
    at_beta.post(f"/deliveries/{dispatch.id}/sign/")
    jobs_run(run_jobs)
    with use_tenant(alpha):
        dispatch.refresh_from_db()
        assert dispatch.state == DispatchState.SIGNED_FOR


def test_a_bad_package_under_the_same_id_does_not_hold_the_good_one_up(
    at_beta: Client, dispatch: Dispatch, alpha: TenantRef, beta: TenantRef
) -> None:
    with use_tenant(beta), connection.cursor() as cursor:
        cursor.execute("SELECT cell.exchange_post(%s, 'document', 'alpha', '{}', 'no signature', '')", [dispatch.id])
    at_beta.post(f"/deliveries/{dispatch.id}/sign/")
    with use_tenant(beta):
        jobs.answer(delivery_id=str(dispatch.id))
    with use_tenant(alpha):
        jobs.receive(package_id=str(dispatch.id))
        dispatch.refresh_from_db()
        assert dispatch.state == DispatchState.SIGNED_FOR


def test_a_key_service_that_is_away_for_one_package_does_not_hold_the_other_up(
    at_beta: Client, dispatch: Dispatch, alpha: TenantRef, beta: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = packages.checked_manifest

    def away(package: Package) -> Manifest:
        if package.kind == "document":
            raise Unavailable("密钥服务暂时连不上。")
        return checked(package)

    with use_tenant(beta), connection.cursor() as cursor:
        cursor.execute("SELECT cell.exchange_post(%s, 'document', 'alpha', '{}', 'no signature', '')", [dispatch.id])
    at_beta.post(f"/deliveries/{dispatch.id}/sign/")
    with use_tenant(beta):
        jobs.answer(delivery_id=str(dispatch.id))
    monkeypatch.setattr(packages, "checked_manifest", away)
    with use_tenant(alpha):
        with pytest.raises(Unavailable):
            jobs.receive(package_id=str(dispatch.id))
        dispatch.refresh_from_db()
        assert dispatch.state == DispatchState.SIGNED_FOR


def test_what_came_back_is_sent_again_as_another_package(
    at_beta: Client, dispatch: Dispatch, alpha: TenantRef, beta: TenantRef, office: Office, run_jobs: Callable[[], int]
) -> None:
    at_beta.post(f"/deliveries/{dispatch.id}/return/", {"reason": "附件缺页。"})
    jobs_run(run_jobs)
    with use_tenant(alpha):
        document_send(document_id=dispatch.document_id, to_codes=["beta"], by=office.clerk)
        again = Dispatch.objects.get()
        assert (again.state, again.reason, again.answered_by) == (DispatchState.SENDING, "", "")
    jobs_run(run_jobs)
    with use_tenant(beta):
        found = {delivery.id: delivery.state for delivery in Delivery.objects.all()}
        assert found == {dispatch.id: DeliveryState.RETURNED, again.id: DeliveryState.WAITING}
    assert at_beta.post(f"/deliveries/{again.id}/sign/").status_code == 302
    jobs_run(run_jobs)
    with use_tenant(alpha):
        assert Dispatch.objects.get().state == DispatchState.SIGNED_FOR


@pytest.mark.parametrize("broken", [{"pdf": {"digest": "0" * 64, "size": 1}}, {"sent_at": "?"}, {"issued_on": "?"}])
def test_a_document_that_cannot_be_kept_goes_back_with_the_reason(
    office: Office,
    alpha: TenantRef,
    beta: TenantRef,
    run_jobs: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    broken: Manifest,
) -> None:
    document = numbered(office)
    run_jobs()
    sealed = store(name_prefix="documents/sealed", stream=scan(), content_type="application/pdf")
    services.attach_sealed_pdf(document.id, sealed, office.clerk)
    told = jobs._manifest
    monkeypatch.setattr(jobs, "_manifest", lambda *about: told(*about) | broken)
    document_send(document_id=document.id, to_codes=["beta"], by=office.clerk)
    jobs_run(run_jobs)
    with use_tenant(alpha):
        dispatch = Dispatch.objects.get()
        assert (dispatch.state, dispatch.answered_by) == (DispatchState.RETURNED, "系统")
        assert "已拒收" in dispatch.reason
    with use_tenant(beta):
        assert not Delivery.objects.exists()
        assert AuditRecord.objects.get(event="document.returned").target_id == str(dispatch.id)


def test_a_suspended_sender_is_told_of_what_was_refused_when_it_is_at_work_again(
    dispatch: Dispatch, alpha: TenantRef, beta: TenantRef, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with use_tenant(beta), connection.cursor() as cursor:
        cursor.execute("SELECT cell.exchange_post(%s, 'document', 'alpha', '{}', 'no signature', '')", [dispatch.id])
    with use_tenant(alpha):
        at_work = packages.recipients()
        suspended = [dataclasses.replace(one, active=False) for one in at_work]
        monkeypatch.setattr(packages, "recipients", lambda: suspended)
        jobs.receive(package_id=str(dispatch.id))
        assert [package.kind for package in packages.packages(dispatch.id)] == ["document"]
        monkeypatch.setattr(packages, "recipients", lambda: at_work)
        jobs.receive(package_id=str(dispatch.id))
        assert not packages.packages(dispatch.id)
        assert AuditRecord.objects.get(event="document.returned").detail["reason"] == "来件的签名无效，已拒收。"


def test_who_may_not_read_a_document_learns_nothing_from_the_pages_around_it(
    office: Office, as_user: Callable[..., Client]
) -> None:
    role_grant(user_id=office.users["leader"].id, role=Role.ARCHIVIST, by=SYSTEM)
    secret = services.document_draft(draft=draft_input(title="某某同志任免事项的请示"), by=office.drafter)
    for user, page in (("clerk", "send"), ("leader", "file"), ("clerk", "file"), ("leader", "send")):
        answer = as_user(office.users[user]).get(f"/documents/{secret.id}/{page}/")
        assert answer.status_code in {403, 404}
        assert "任免" not in answer.content.decode()

"""A document's attachments travel with it: in the signed manifest, under the receiver's keys, as far as the archive."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from saas.core.errors import Invalid
from saas.core.storage import open_object, sweep
from saas.core.tenancy import TenantRef
from saas.documents import services
from saas.documents.models import Document
from saas.exchange import jobs
from saas.exchange.models import Delivery, Dispatch
from saas.exchange.services import delivery_sign_for, document_send
from saas.exchange.spool import packages
from saas.exchange.spool.packages import waiting_objects
from tenants.context import use_tenant
from tests.documents.conftest import Office, draft_input, install_flow, make_office, office
from tests.documents.test_services import scan, sign

__all__ = ["office"]

FILES = {"预算表.txt": "一，二\n".encode() * 300_000, "说明.pdf": b"%PDF-1.7 explained"}


@pytest.fixture
def receiving(beta: TenantRef, office: Office) -> Office:
    """People at work in beta; the test itself goes on in alpha."""
    with use_tenant(beta):
        made = make_office()
        install_flow(made, "incoming")
    return made


@pytest.fixture
def sent(office: Office, run_jobs: Callable[[], int], beta: TenantRef) -> Dispatch:
    """A sealed document with two attachments, handed to the spool and not yet taken."""
    from saas.core.storage import store

    document = services.document_draft(draft=draft_input(), by=office.drafter)
    for name, content in FILES.items():
        services.attachment_add(document_id=document.id, name=name, stream=io.BytesIO(content), by=office.drafter)
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    sign(document, office)
    year = Document.objects.get().issued_on.year  # type: ignore[union-attr]
    book = services.book_create(mark="云数发", year=year, kinds=[], first=1, by=office.clerk)
    services.document_register_number(document_id=document.id, book_id=book.id, by=office.clerk)
    run_jobs()
    kept = store(name_prefix="documents/sealed", stream=scan(), content_type="application/pdf")
    services.attach_sealed_pdf(document.id, kept, office.clerk)
    document_send(document_id=document.id, to_codes=["beta"], by=office.clerk)
    dispatch = Dispatch.objects.get()
    jobs.send(dispatch_id=str(dispatch.id))
    return dispatch


def content_of(name: str) -> bytes:
    with open_object(name) as source:
        return source.read()


def somebody_names(name: str) -> bool:
    return any(named({name}) for named in sweep._OWNERS["deliveries"])


def test_attachments_reach_the_delivery_the_registration_and_its_page(
    sent: Dispatch, receiving: Office, beta: TenantRef
) -> None:
    with use_tenant(beta):
        jobs.receive(package_id=str(sent.id))
        delivery = Delivery.objects.get()
        assert {file.name: content_of(file.object_name) for file in delivery.attachments} == FILES
        assert [file.content_type for file in delivery.attachments] == ["text/plain", "application/pdf"]
        listed = delivery.manifest["attachments"]
        assert [one["digest"] for one in listed] == [file.sha256 for file in delivery.attachments]
        registered = delivery_sign_for(delivery_id=delivery.id, by=receiving.clerk)
        kept = Document.objects.get(id=registered).files.all()
        assert {file.name: content_of(file.stored_name) for file in kept} == FILES


def test_a_day_of_issue_that_is_no_day_does_not_keep_a_document_from_being_signed_for(
    sent: Dispatch, receiving: Office, beta: TenantRef
) -> None:
    with use_tenant(beta):
        jobs.receive(package_id=str(sent.id))
        delivery = Delivery.objects.get()
        delivery.manifest["issued_on"] = "去年冬天"
        delivery.save(update_fields=["manifest"])
        registered = delivery_sign_for(delivery_id=delivery.id, by=receiving.clerk)
        assert Document.objects.get(id=registered).issued_on is None


def test_attachments_are_named_while_they_wait_and_afterwards(sent: Dispatch, beta: TenantRef) -> None:
    with use_tenant(beta):
        (package,) = packages.packages(sent.id)
        assert len(package.object_names) == 3
        assert waiting_objects(package.object_names) == set(package.object_names)
        jobs.receive(package_id=str(sent.id))
        assert waiting_objects(package.object_names) == set()
        assert all(somebody_names(name) for name in package.object_names)


@pytest.mark.parametrize("change", ["digest", "size"])
def test_an_attachment_that_is_not_the_signed_one_is_refused(
    sent: Dispatch, beta: TenantRef, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    with use_tenant(beta):
        (package,) = packages.packages(sent.id)
        manifest = json.loads(package.manifest_text)
        manifest["attachments"][1][change] = "0" * 64 if change == "digest" else 1
        with pytest.raises(Invalid):
            jobs._keep_delivery(package, manifest)
        assert not Delivery.objects.exists()


@pytest.mark.parametrize("names", [0, 2, 4])
def test_a_package_with_files_the_manifest_does_not_list_is_refused(
    sent: Dispatch, beta: TenantRef, names: int
) -> None:
    import dataclasses

    with use_tenant(beta):
        (package,) = packages.packages(sent.id)
        other = dataclasses.replace(package, object_names=(package.object_names * 2)[:names])
        with pytest.raises(Invalid):
            jobs._keep_delivery(other, json.loads(package.manifest_text))


def test_a_file_outside_the_deliveries_is_never_taken_for_one(sent: Dispatch, beta: TenantRef) -> None:
    import dataclasses

    from saas.core.storage import store

    with use_tenant(beta):
        (package,) = packages.packages(sent.id)
        own = store(name_prefix="documents/files", stream=FILES["说明.pdf"], content_type="application/pdf")
        other = dataclasses.replace(package, object_names=(*package.object_names[:2], own.name))
        with pytest.raises(Invalid):
            jobs._keep_delivery(other, json.loads(package.manifest_text))


def test_the_delivery_page_offers_each_attachment(
    office: Office, as_user: Callable[..., Client], run_jobs: Callable[[], int]
) -> None:
    from django.utils import timezone

    from saas.core.storage import store

    kept = store(name_prefix="deliveries", stream=FILES["预算表.txt"], content_type="text/plain")
    file = {"name": "预算表.txt", "object_name": kept.name, "sha256": kept.sha256, "size": kept.size}
    delivery = Delivery.objects.create(
        id="5b0c7f0e-1111-4222-8333-944444444444",
        from_code="beta",
        from_name="乙局",
        title="关于报送预算的通知",
        manifest={},
        object_name=kept.name,
        sha256=kept.sha256,
        files=[file | {"content_type": "text/plain"}],
        sent_at=timezone.now(),
    )
    clerk = as_user(office.users["clerk"])
    assert "预算表.txt" in clerk.get(f"/deliveries/{delivery.id}/").content.decode()
    answer: Any = clerk.get(f"/deliveries/{delivery.id}/files/1/")
    assert b"".join(answer.streaming_content) == FILES["预算表.txt"]
    assert answer["Content-Disposition"].startswith("attachment")
    assert clerk.get(f"/deliveries/{delivery.id}/files/2/").status_code == 404

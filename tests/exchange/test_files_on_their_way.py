"""A file that was delivered but not yet received is named by the spool alone, and stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

from saas.core.storage import sweep
from saas.core.tenancy import TenantRef
from saas.exchange import jobs
from saas.exchange.models import Delivery, Dispatch
from saas.exchange.services import document_send
from saas.exchange.spool.packages import waiting_objects
from tenants.context import use_tenant
from tests.documents.conftest import Office, office
from tests.documents.test_bad_input import sealed_document

__all__ = ["office"]


def test_the_sweep_leaves_a_file_on_its_way_and_a_delivered_one(
    office: Office, beta: TenantRef, run_jobs: Callable[[], int]
) -> None:
    document = sealed_document(office, run_jobs)
    document_send(document_id=document.id, to_codes=["beta"], by=office.clerk)
    dispatch = Dispatch.objects.get()
    jobs.send(dispatch_id=str(dispatch.id))
    with use_tenant(beta):
        name = _waiting()
        assert _somebody_names(name)
        jobs.receive(package_id=str(dispatch.id))
        assert waiting_objects({name}) == set()
        assert Delivery.objects.get().object_name == name
        assert _somebody_names(name)
    assert not _somebody_names(name)


def _somebody_names(name: str) -> bool:
    return any(named({name}) for named in sweep._OWNERS["deliveries"])


def _waiting() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT object_name FROM cell.exchange_waiting()")
        (name,) = [row[0] for row in cursor.fetchall()]
    return name

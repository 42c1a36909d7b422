"""The page of a document on which a job works comes anew when the work is done, and gives up politely."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from saas.documents.kinds import State
from saas.documents.models import Document
from saas.documents.views.reading import MOST_TRIES
from tests.documents.conftest import Office
from tests.documents.test_services import numbered


@pytest.fixture
def clerk(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["clerk"])


def test_a_numbered_document_asks_until_it_is_set(clerk: Client, office: Office, run_jobs: Callable[[], int]) -> None:
    document = numbered(office)
    page = clerk.get(f"/documents/{document.id}/").content.decode()
    asks = f"/documents/{document.id}/progress/?was=numbered"
    assert asks in page
    again = clerk.get(asks + "&tries=0")
    assert "tries=1" in again.content.decode()
    assert "HX-Redirect" not in again.headers
    run_jobs()
    assert clerk.get(asks + "&tries=1").headers["HX-Redirect"] == f"/documents/{document.id}/"


def test_while_the_seal_is_put_on_it_is_not_offered_again(
    clerk: Client, office: Office, run_jobs: Callable[[], int]
) -> None:
    document = numbered(office)
    run_jobs()
    assert f"/documents/{document.id}/seal/" in clerk.get(f"/documents/{document.id}/").content.decode()
    page = clerk.get(f"/documents/{document.id}/?sealing=1").content.decode()
    assert "正在用印" in page
    assert f"/documents/{document.id}/seal/" not in page
    Document.objects.filter(id=document.id).update(state=State.SEALED)
    assert "正在用印" not in clerk.get(f"/documents/{document.id}/?sealing=1").content.decode()


@pytest.mark.parametrize("tries", [str(MOST_TRIES), "x", "99999"])
def test_the_page_stops_asking_after_a_while(clerk: Client, office: Office, tries: str) -> None:
    document = numbered(office)
    answer: Any = clerk.get(f"/documents/{document.id}/progress/?was=numbered&tries={tries}")
    assert "hx-get" not in answer.content.decode()
    assert "请稍后刷新" in answer.content.decode()

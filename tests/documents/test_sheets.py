"""The pages of a document as pictures, and what stands in their place when no font can show its text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from saas.core.actors import Actor
from saas.documents import services
from saas.documents.handlers import OutgoingHandler
from saas.documents.kinds import State
from saas.documents.models import Document
from tests.documents.conftest import Office, draft_input
from tests.documents.test_pages import FORM


@pytest.fixture
def drafter(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["drafter"])


@pytest.mark.parametrize(("sign", "named"), [("😀", "U+1F600"), ("\U0002a6a5", "U+2A6A5")])
def test_a_title_no_font_shows_stops_the_submission_and_the_form_is_kept(
    drafter: Client, sign: str, named: str
) -> None:
    answer = drafter.post("/documents/new/", FORM | {"title": f"关于{sign}的通知", "then": "submit"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert named in page
    assert f"关于{sign}的通知" in page
    assert Document.objects.get().state == State.DRAFTING


def test_a_text_no_font_shows_is_shown_as_words_with_the_reason(drafter: Client, office: Office) -> None:
    document = services.document_draft(draft=draft_input(body="祝贺😀全市。"), by=office.drafter)
    page = drafter.get(f"/documents/{document.id}/").content.decode()
    assert "U+1F600" in page
    assert "祝贺😀全市。" in page
    assert "sheets/1.png" not in page
    summary = OutgoingHandler().summary(document.id, Actor(user_id=None, user_name=""))
    assert summary is not None
    assert "U+1F600" in summary.context["sheets"].problem


def test_a_text_that_can_be_set_is_shown_as_pages(drafter: Client, office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    assert "sheets/1.png" in drafter.get(f"/documents/{document.id}/").content.decode()

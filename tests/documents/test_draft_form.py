"""The drafting form: too long a text is refused and kept, nothing typed is changed, what is needed is not optional."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from saas.core.tenancy import TenantRef
from saas.documents import rules
from saas.documents.elements import Elements
from saas.documents.forms import DraftForm
from saas.documents.kinds import Kind
from saas.documents.models import Document
from saas.documents.rules import LONGEST_BODY
from tests.documents.conftest import Office
from tests.documents.test_pages import FORM


@pytest.fixture
def drafter(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["drafter"])


def test_too_long_a_title_is_refused_whole_and_the_browser_cuts_nothing(drafter: Client) -> None:
    title = "长" * 3000
    answer = drafter.post("/documents/new/", FORM | {"title": title, "then": "submit"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert title in page
    assert "不能超过150字，现有3000字" in page
    assert not Document.objects.exists()
    form = page[page.index('id="draft-form"') : page.index("</form>", page.index('id="draft-form"'))]
    assert "maxlength" not in form


def test_a_line_break_counts_once_however_it_is_sent(in_alpha: TenantRef) -> None:
    lines = "行" * 999
    body = "\r\n".join([lines] * (LONGEST_BODY // 1000)) + "\r\n"
    form = DraftForm(FORM | {"body": body}, bureaus=[])
    assert form.is_valid(), form.errors
    assert len(form.draft().elements.body) == LONGEST_BODY
    longer = DraftForm(FORM | {"body": body + "余"}, bureaus=[])
    assert not longer.is_valid()
    assert longer.errors["body"] == ["不能超过200000字，现有200001字。"]


def test_what_submission_asks_for_is_not_called_optional(drafter: Client) -> None:
    page = drafter.get("/documents/new/").content.decode()
    labels = dict(re.findall(r'<label for="id_(\w+)">(.*?)</label>', page, re.DOTALL))
    for name in ("title", "recipients", "body", "mark", "signatures"):
        assert "选填" not in labels[name], name
    assert "选填" in labels["cc"]


def test_picked_bureaus_fill_an_empty_field_and_leave_what_is_written(beta: TenantRef, in_alpha: TenantRef) -> None:
    typed = "市发改局、各县区"
    kept = DraftForm(FORM | {"recipients": typed, "recipient_codes": ["beta"]}, bureaus=[beta])
    assert kept.is_valid(), kept.errors
    assert kept.draft().elements.recipients == typed
    empty = DraftForm(FORM | {"recipients": "", "recipient_codes": ["beta"]}, bureaus=[beta])
    assert empty.is_valid(), empty.errors
    assert empty.draft().elements.recipients == beta.name


def blocking(title: str, kind: Kind = Kind.NOTICE) -> list[str]:
    found = rules.findings(rules.Draft(kind=kind, elements=Elements(title=title)))
    return [str(f.message) for f in found if f.element == "title" and f.severity is rules.Severity.BLOCK]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("云州市人民政府办公室关于", Kind.NOTICE),
        ("云州市人民政府办公室关于的", Kind.LETTER),
        ("云州市人民政府办公室关于做好防汛工作", Kind.NOTICE),
    ],
)
def test_an_unfinished_title_stops_the_submission(title: str, kind: Kind) -> None:
    assert len(blocking(title, kind)) == 1


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("云州市人民政府关于做好防汛工作的通知", Kind.NOTICE),
        ("云州市人民政府关于印发办法的通知（试行）", Kind.NOTICE),
        ("国务院办公厅对全国政协十届三次会议第2741号提案的答复", Kind.LETTER),
        ("专利代理条例", Kind.ORDER),
    ],
)
def test_a_finished_title_passes(title: str, kind: Kind) -> None:
    assert blocking(title, kind) == []

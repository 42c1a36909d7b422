"""The audit administrator's page: whole, filtered, cheap, and closed to everybody else."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from saas.core.access import Role
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.identifiers import first_of, ordered_uuid
from saas.core.audit.models import AuditRecord
from saas.core.audit.selectors import PAGE_SIZE, AuditFilter, audit_page
from saas.core.audit.services import Target
from saas.core.audit.wording import EVENT_LABELS
from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tests.accounts.conftest import HostClient, browser_at, enrol_app, make_account


def by(name: str) -> Actor:
    return Actor(user_id=uuid.uuid4(), user_name=name, post_name="科长", ip="10.1.2.3")


@pytest.fixture
def auditor(in_alpha: TenantRef) -> HostClient:
    return signed_in(in_alpha, Role.AUDIT_ADMIN)


def signed_in(bureau: TenantRef, *roles: Role) -> HostClient:
    user = make_account(f"u{uuid.uuid4().hex[:8]}", *roles)
    enrol_app(user)
    client = browser_at(bureau)
    client.force_login(user)
    return client


def test_every_event_has_a_name_people_read() -> None:
    assert set(EVENT_LABELS) == set(Event)


def test_the_page_shows_who_did_what_to_what(auditor: HostClient) -> None:
    record(
        Event.DOCUMENT_SIGNED_OFF,
        by=by("李建国"),
        target=Target("document", "7", "关于做好工作的通知<script>"),
        detail={"reason": "同意"},
    )
    page = auditor.get("/audit/")
    assert page.status_code == 200
    text = page.content.decode()
    for expected in ("公文签发", "李建国（科长）", "关于做好工作的通知&lt;script&gt;", "10.1.2.3", "同意"):
        assert expected in text


def test_opening_the_page_is_in_the_trail_once_however_often_pages_are_turned(auditor: HostClient) -> None:
    before = AuditRecord.objects.filter(event=Event.AUDIT_READ).count()
    auditor.get("/audit/?event=account.signed_in&person=李")
    auditor.get(f"/audit/?after={ordered_uuid()}")
    assert AuditRecord.objects.filter(event=Event.AUDIT_READ).count() == before + 1
    newest = AuditRecord.objects.filter(event=Event.AUDIT_READ).latest("id")
    assert newest.detail == {"event": "account.signed_in", "person": "李"}


@pytest.mark.parametrize("role", [r for r in Role if r not in {Role.AUDIT_ADMIN, Role.PLATFORM_AUDITOR}])
def test_nobody_else_reads_the_trail(in_alpha: TenantRef, role: Role) -> None:
    if role in {Role.OPERATIONS, Role.SECURITY_OFFICER}:
        pytest.skip("a role of the management zone")
    before = AuditRecord.objects.filter(event=Event.AUDIT_READ).count()
    assert signed_in(in_alpha, role).get("/audit/").status_code == 403
    assert AuditRecord.objects.filter(event=Event.AUDIT_READ).count() == before


def test_the_trail_cannot_be_written_through_the_page(auditor: HostClient) -> None:
    assert auditor.post("/audit/").status_code == 405


def test_another_bureaus_records_do_not_show(auditor: HostClient, in_alpha: TenantRef, beta: TenantRef) -> None:
    with use_tenant(beta):
        record(Event.DOCUMENT_DRAFTED, by=by("canary-of-beta"))
    assert "canary-of-beta" not in auditor.get("/audit/").content.decode()


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("since=2026-13-01", "起始日期"),
        ("since=2026-02-02&until=2026-01-01", "截止日期不能早于起始日期"),
        ("event=nothing", "事件"),
        ("after=junk", "after"),
    ],
)
def test_a_wrong_filter_is_explained_and_kept(auditor: HostClient, query: str, word: str) -> None:
    page = auditor.get(f"/audit/?{query}&person=李")
    assert page.status_code == 422
    assert 'value="李"' in page.content.decode()


def test_pages_go_through_the_whole_trail_and_back(in_alpha: TenantRef) -> None:
    name = uuid.uuid4().hex
    made = [record(Event.DOCUMENT_DRAFTED, by=by(name)) for _ in range(2 * PAGE_SIZE + 3)]
    wanted = AuditFilter(person=name)
    first = audit_page(wanted)
    second = audit_page(wanted, after=uuid.UUID(first.after))
    third = audit_page(wanted, after=uuid.UUID(second.after))
    seen = [item.id for page in (first, second, third) for item in page.records]
    assert seen == sorted(made, reverse=True)
    assert (first.before, third.after) == ("", "")
    back = audit_page(wanted, before=uuid.UUID(third.before))
    assert [item.id for item in back.records] == [item.id for item in second.records]
    again = audit_page(wanted, before=uuid.UUID(back.before))
    assert [item.id for item in again.records] == [item.id for item in first.records]
    assert again.before == ""


def test_days_are_local_and_both_included(in_alpha: TenantRef) -> None:
    name = uuid.uuid4().hex
    record(Event.DOCUMENT_DRAFTED, by=by(name))
    today = timezone.localdate()
    day = timedelta(days=1)
    assert len(audit_page(AuditFilter(person=name, since=today, until=today)).records) == 1
    assert audit_page(AuditFilter(person=name, since=today + day)).records == []
    assert audit_page(AuditFilter(person=name, until=today - day)).records == []


def test_ids_and_days_agree() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert first_of(moment) < first_of(moment + timedelta(milliseconds=1)) < ordered_uuid()


def test_the_page_keeps_its_budget(auditor: HostClient) -> None:
    for _ in range(PAGE_SIZE + 5):
        record(Event.DOCUMENT_DRAFTED, by=by("李建国"), detail={"a": "b"})
    with CaptureQueriesContext(connection) as queries:
        assert auditor.get("/audit/").status_code == 200
    assert len(queries) <= 8, [query["sql"] for query in queries]


def test_details_are_told_in_words_and_what_is_unknown_as_it_is_stored() -> None:
    from saas.core.audit.wording import in_words

    detail = {"methods": ["password", "totp"], "passed": True, "reason": "", "pages": 3, "unheard_of": "x1"}
    assert in_words(detail) == [
        ("验证方式", "密码、动态口令"),
        ("通过", "是"),
        ("原因", "—"),
        ("页数", "3"),
        ("unheard_of", "x1"),
    ]

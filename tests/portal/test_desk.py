"""The workbench, stars and saved filters: what they show, to whom, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from saas.accounts.models import User
from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.tenancy import TenantRef
from saas.documents.models import Document
from saas.documents.services import document_draft, document_submit
from saas.portal.desk.models import SavedFilter, Star
from saas.portal.desk.services import MOST_FILTERS
from tests.documents.conftest import Office, as_user, draft_input, office

__all__ = ["as_user", "office"]

TITLE = "云州市大数据发展管理局关于开展安全检查工作的通知"


@pytest.fixture
def drafter(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["drafter"])


@pytest.fixture
def leader(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["leader"])


@pytest.fixture
def submitted(office: Office) -> Document:
    document = document_draft(draft=draft_input(), by=office.drafter)
    document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    document.refresh_from_db()
    return document


def cost(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len([q for q in queries.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "SET "))])


def test_the_workbench_shows_what_waits_for_the_reader(leader: Client, drafter: Client, submitted: Document) -> None:
    waiting = leader.get("/").content.decode()
    assert submitted.title in waiting
    assert "李建国" in waiting
    assert submitted.title not in drafter.get("/").content.decode()


def test_the_workbench_shows_drafts_and_leads_an_empty_desk_on(drafter: Client, office: Office) -> None:
    assert "待办都办完了" in drafter.get("/").content.decode()
    draft = document_draft(draft=draft_input(), by=office.drafter)
    assert f"/documents/{draft.id}/edit/" in drafter.get("/").content.decode()


def test_a_clerk_sees_at_once_that_a_delivery_waits(
    office: Office, as_user: Callable[..., Client], drafter: Client
) -> None:
    from saas.exchange.models import Delivery

    tile = '<a class="tile" href="/deliveries/"><span class="figure">3</span>'
    clerk = as_user(office.users["clerk"])
    assert tile not in clerk.get("/").content.decode()
    for _ in range(3):
        came = {"from_code": "beta", "from_name": "乙局", "title": "来文", "manifest": {}, "sent_at": timezone.now()}
        Delivery.objects.create(id=uuid4(), **came)
    assert tile in clerk.get("/").content.decode()
    assert tile not in drafter.get("/").content.decode()


def test_the_workbench_tells_of_ended_matters_and_of_who_asks_for_help(
    drafter: Client, office: Office, submitted: Document
) -> None:
    from datetime import timedelta

    from saas.approvals.models import Instance
    from saas.approvals.services.delegating import give
    from saas.organisation.models import today

    assert submitted.flow_instance_id is not None
    assert office.drafter.person_id is not None
    assert "已终止" not in drafter.get("/").content.decode()
    Instance.objects.filter(id=submitted.flow_instance_id).update(status="terminated")
    give(
        stand_in_id=office.drafter.person_id,
        starts=today(),
        ends=today() + timedelta(days=3),
        flow_key="",
        reason="出差",
        by=office.leader,
    )
    page = drafter.get("/").content.decode()
    assert "已终止" in page
    assert "李建国请您代办" in page


def test_an_administrator_has_no_workbench_and_is_led_to_his_first_page(
    in_alpha: TenantRef, as_user: Callable[..., Client]
) -> None:
    from allauth.mfa.totp.internal.auth import TOTP

    from saas.accounts.services import role_grant

    user = User.objects.create(username="desk-admin", name="系统管理员")
    user.set_password("a-demo-password-2026")
    user.save()
    role_grant(user_id=user.pk, role=Role.SYSTEM_ADMIN, by=SYSTEM)
    TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert as_user(user).get("/").status_code == 302
    assert as_user(user).get("/starred/").status_code == 403


def put_by(client: Client, page: str, query: str = "") -> str:
    return client.get("/desk/put-by/", {"page": page, "query": query}).content.decode()


def test_a_star_is_known_by_its_document_and_its_matter_and_can_be_taken_away(
    leader: Client, submitted: Document
) -> None:
    matter = str(submitted.flow_instance_id)
    assert matter not in put_by(leader, "/tasks/")
    answer = leader.post("/desk/star/", {"act": "on", "object": matter})
    assert 'aria-pressed="true"' in answer.content.decode()
    leader.post("/desk/star/", {"act": "on", "object": str(submitted.id)})
    assert Star.objects.count() == 1
    assert matter in put_by(leader, "/tasks/")
    assert str(submitted.id) in put_by(leader, "/documents/outgoing/")
    assert submitted.title in leader.get("/starred/").content.decode()
    leader.post("/desk/star/", {"act": "off", "object": matter})
    assert submitted.title not in leader.get("/starred/").content.decode()
    assert matter not in put_by(leader, "/tasks/")


def test_every_row_of_a_list_has_its_star(leader: Client, submitted: Document) -> None:
    assert f'data-star="{submitted.flow_instance_id}"' in leader.get("/tasks/").content.decode()
    assert f'data-star="{submitted.id}"' in leader.get("/documents/outgoing/").content.decode()


def test_what_may_not_be_read_cannot_be_starred(
    leader: Client, office: Office, submitted: Document, as_user: Callable[..., Client]
) -> None:
    secret = document_draft(draft=draft_input(title="云州市大数据发展管理局关于人事安排的通知"), by=office.drafter)
    for object_id in (secret.id, uuid4()):
        assert leader.post("/desk/star/", {"act": "on", "object": str(object_id)}).status_code == 404
    assert leader.post("/desk/star/", {"act": "on", "object": "x"}).status_code == 400
    assert leader.post("/desk/star/", {"act": "burn", "object": str(submitted.id)}).status_code == 400
    assert Star.objects.count() == 0


def test_a_star_does_not_show_what_may_no_longer_be_read(leader: Client, office: Office, submitted: Document) -> None:
    secret = document_draft(draft=draft_input(title="云州市大数据发展管理局关于人事安排的通知"), by=office.drafter)
    Star.objects.create(user=office.users["leader"], document=secret)
    assert secret.title not in leader.get("/starred/").content.decode()


def test_a_filter_is_kept_under_a_name_for_its_list_and_its_owner(leader: Client, drafter: Client) -> None:
    form = {"page": "/tasks/", "name": " 超期的  急件 ", "query": "overdue=1&sort=urgency&after=30&q="}
    assert leader.post("/desk/filters/", form).headers["Location"] == "/tasks/?overdue=1&sort=urgency"
    assert "超期的 急件" in put_by(leader, "/tasks/")
    assert "超期的 急件" not in put_by(leader, "/done/")
    assert "超期的 急件" not in put_by(drafter, "/tasks/")
    kept = SavedFilter.objects.get()
    forget = {"page": "/tasks/", "filter": str(kept.id)}
    assert drafter.post("/desk/filters/remove/", forget).status_code == 404
    assert leader.post("/desk/filters/remove/", forget).headers["Location"] == "/tasks/"
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "  "}, 422),
        ({"name": "长" * 31}, 422),
        ({"query": "after=30"}, 422),
        ({"query": "q=" + "x" * 600}, 422),
        ({"page": "//elsewhere.example/"}, 400),
        ({"page": "/no-such-page/"}, 400),
    ],
)
def test_a_filter_that_says_nothing_is_refused(leader: Client, change: dict[str, str], status: int) -> None:
    form = {"page": "/tasks/", "name": "急件", "query": "sort=urgency"} | change
    assert leader.post("/desk/filters/", form).status_code == status
    assert not SavedFilter.objects.exists()


def test_a_list_has_room_for_so_many_filters_and_one_of_a_name(leader: Client, office: Office) -> None:
    for number in range(MOST_FILTERS):
        form = {"page": "/tasks/", "name": f"筛选{number}", "query": "sort=urgency"}
        assert leader.post("/desk/filters/", form).status_code == 302
    full = {"page": "/tasks/", "name": "再来一组", "query": "sort=urgency"}
    assert leader.post("/desk/filters/", full).status_code == 409
    again = {"page": "/tasks/", "name": "筛选0", "query": "sort=received"}
    assert leader.post("/desk/filters/", again).status_code == 302
    assert SavedFilter.objects.filter(user=office.users["leader"]).count() == MOST_FILTERS
    assert SavedFilter.objects.get(name="筛选0").query == "sort=received"


def test_desk_pages_keep_to_their_queries(
    leader: Client, drafter: Client, submitted: Document, office: Office, as_user: Callable[..., Any]
) -> None:
    leader.post("/desk/star/", {"act": "on", "object": str(submitted.id)})
    clerk = as_user(office.users["clerk"])
    whole = {name: cost(client, "/") for name, client in (("leader", leader), ("drafter", drafter), ("clerk", clerk))}
    assert {name: spent for name, spent in whole.items() if spent > 12} == {}
    lists = {
        path: cost(clerk, path) for path in ("/tasks/", "/documents/outgoing/", "/starred/", "/desk/put-by/?page=/")
    }
    assert {path: spent for path, spent in lists.items() if spent > 8} == {}


def test_phrases_are_added_once_and_dropped(drafter: Client, leader: Client) -> None:
    assert drafter.post("/desk/phrases/", {"text": " 同意，请  王局长阅示。 "}).status_code == 302
    drafter.post("/desk/phrases/", {"text": "同意，请 王局长阅示。"})
    assert drafter.get("/desk/phrases/").content.decode().count('value="同意，请 王局长阅示。"') == 1
    assert "王局长" not in leader.get("/desk/phrases/").content.decode()
    drafter.post("/desk/phrases/", {"drop": "同意，请 王局长阅示。"})
    assert "王局长" not in drafter.get("/desk/phrases/").content.decode()


def test_an_empty_or_overlong_phrase_is_refused_and_kept_in_the_form(drafter: Client) -> None:
    assert drafter.post("/desk/phrases/", {"text": "  "}).status_code == 422
    long = drafter.post("/desk/phrases/", {"text": "长" * 201})
    assert long.status_code == 422
    assert "长" * 201 in long.content.decode()


def test_settings_lead_to_phrases_and_delegations(drafter: Client) -> None:
    page = drafter.get("/settings/").content.decode()
    assert 'href="/desk/phrases/"' in page
    assert 'href="/delegations/"' in page

"""The directory and the administration in a browser's eyes: status, content, forms kept, query budgets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from saas.core.tenancy import TenantRef
from saas.organisation.models import Appointment, Person, Unit, WorkbookImport, today
from saas.organisation.services import person_deactivate
from tenants.context import use_tenant
from tests.organisation import books, makers

LIST_BUDGET = 8


@pytest.fixture
def people(in_alpha: TenantRef) -> dict[str, Any]:
    """A small bureau with a clerk and its system administrator."""
    root = makers.unit("经济和信息化局")
    office = makers.unit("办公室", parent=root)
    leader = makers.staff("赵立新", post=makers.post("局长", unit=root))
    clerk = makers.staff("王敏", post=makers.post("科员", unit=office, kind="staff"))
    return {"root": root, "office": office, "leader": leader, "clerk": clerk, "admin": makers.system_admin()}


def cold(client: Client, path: str) -> tuple[int, str, int]:
    client.get("/settings/")  # the session notes once a while that it is in use
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
    asked = [query["sql"] for query in queries.captured_queries if "SAVEPOINT" not in query["sql"]]
    return response.status_code, response.content.decode(), len(asked)


def test_the_directory_lists_people_in_rank_order_by_unit(
    people: dict[str, Any], as_user: Callable[..., Client]
) -> None:
    client = as_user(people["clerk"])
    status, page, queries = cold(client, "/directory/")
    assert status == 200
    assert page.index("赵立新") < page.index("王敏", page.index("<table"))
    assert queries <= LIST_BUDGET
    status, page, _ = cold(client, f"/directory/?unit={people['office'].id}")
    assert "赵立新" not in page.split("<table")[1]
    for words in ("王", "wm", "科员"):
        page = client.get("/directory/", {"q": words}).content.decode()
        assert "王敏" in page.split("<table")[1]
        assert "赵立新" not in page.split("<table")[1]


@pytest.mark.parametrize("words", ["'", "%", "\\", "\x00", "a" * 500, "<script>", "无此人"])
def test_a_search_for_anything_is_answered(people: dict[str, Any], as_user: Callable[..., Client], words: str) -> None:
    response = as_user(people["clerk"]).get("/directory/", {"q": words})
    assert response.status_code == 200
    assert "<script>a" not in response.content.decode()


def test_who_left_is_not_in_the_directory(
    people: dict[str, Any], as_user: Callable[..., Client], alpha: TenantRef
) -> None:
    with use_tenant(alpha):
        gone = makers.person("离职者")
        makers.appoint(gone, makers.post("原岗", unit=people["office"]), ends=today() - timedelta(days=1))
        person_deactivate(person_id=gone.id, by=makers.actor(people["admin"]))
    client = as_user(people["clerk"])
    assert "离职者" not in client.get("/directory/").content.decode()
    assert client.get(f"/directory/{gone.id}/").status_code == 404


def test_administration_is_for_the_system_administrator_and_the_directory_for_staff(
    people: dict[str, Any], as_user: Callable[..., Client], settled_admin: Client
) -> None:
    clerk = as_user(people["clerk"])
    for path in (
        "/organisation/",
        "/organisation/people/",
        "/organisation/workbook/",
        "/organisation/workbook/export/",
    ):
        assert clerk.get(path).status_code == 403
    assert settled_admin.get("/directory/").status_code == 403


@pytest.mark.parametrize("path", ["/organisation/", "/organisation/people/", "/organisation/workbook/"])
def test_lists_of_the_administration_keep_their_budget(
    people: dict[str, Any], settled_admin: Client, path: str
) -> None:
    status, _page, queries = cold(settled_admin, path)
    assert (status, queries <= LIST_BUDGET) == (200, True), queries


@pytest.fixture
def settled_admin(people: dict[str, Any], as_user: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> Client:
    """The system administrator, past the second factor (its own tests are in tests/accounts)."""
    from saas.accounts.models import User

    monkeypatch.setattr(User, "needs_second_factor", property(lambda self: False))
    return as_user(people["admin"])


def test_a_unit_is_made_changed_moved_and_taken_out_of_use(
    people: dict[str, Any], settled_admin: Client, alpha: TenantRef
) -> None:
    response = settled_admin.post(
        "/organisation/units/new/", {"name": "信息科", "code": "XX", "short_name": "", "parent": people["root"].id}
    )
    assert response.status_code == 302
    with use_tenant(alpha):
        unit = Unit.objects.get(code="XX")
    path = f"/organisation/units/{unit.id}/"
    form = {"name": "信息化科", "code": "XX", "short_name": "信", "parent": people["office"].id, "in_charge_post": ""}
    assert settled_admin.post(path, form).status_code == 302
    with use_tenant(alpha):
        assert Unit.objects.get(code="XX").parent_id == people["office"].id
    assert settled_admin.post(f"/organisation/units/{people['office'].id}/deactivate/").status_code == 409
    assert settled_admin.post(f"{path}deactivate/").status_code == 302
    with use_tenant(alpha):
        assert not Unit.objects.get(code="XX").active


def test_a_wrong_form_is_shown_again_with_what_was_typed(
    people: dict[str, Any], settled_admin: Client, alpha: TenantRef
) -> None:
    response = settled_admin.post("/organisation/units/new/", {"name": "   ", "code": "bad code", "parent": ""})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'value="bad code"' in page
    response = settled_admin.post(
        "/organisation/units/new/", {"name": "办", "code": people["root"].code, "parent": str(uuid4())}
    )
    assert response.status_code == 422
    with use_tenant(alpha):
        assert Unit.objects.count() == 2


def test_a_person_is_made_given_an_account_and_appointed(
    people: dict[str, Any], settled_admin: Client, alpha: TenantRef
) -> None:
    form = {"name": "孙晓东", "staff_number": "7001", "mobile": "13900000000", "email": "", "rank": "30"}
    assert settled_admin.post("/organisation/people/new/", form).status_code == 302
    with use_tenant(alpha):
        person = Person.objects.get(staff_number="7001")
        post = makers.post("科长", unit=people["office"])
    response = settled_admin.post(f"/organisation/people/{person.id}/account/", {"username": "sunxd"})
    assert (response.status_code, "sunxd" in response.content.decode()) == (200, True)
    assert settled_admin.post(f"/organisation/people/{person.id}/account/", {"username": "sunxd2"}).status_code == 409
    path = f"/organisation/people/{person.id}/appointments/new/"
    wrong = settled_admin.post(path, {"post": post.id, "starts": "2024-05-01", "ends": "2024-01-01"})
    assert (wrong.status_code, "2024-05-01" in wrong.content.decode()) == (422, True)
    assert settled_admin.post(path, {"post": post.id, "starts": "2024-05-01", "primary": "on"}).status_code == 302
    assert settled_admin.post(path, {"post": post.id, "starts": "2024-06-01"}).status_code == 409
    with use_tenant(alpha):
        appointment = Appointment.objects.get(person=person)
    end = {"starts": "2024-05-01", "ends": "2024-12-31", "primary": "on"}
    assert settled_admin.post(f"/organisation/appointments/{appointment.id}/", end).status_code == 302
    with use_tenant(alpha):
        assert str(Appointment.objects.get(person=person).ends) == "2024-12-31"


def test_one_acts_in_the_post_chosen_and_in_nobody_elses(
    people: dict[str, Any], as_user: Callable[..., Client], alpha: TenantRef
) -> None:
    with use_tenant(alpha):
        person = Person.objects.get(name="王敏")
        second = makers.appoint(person, makers.post("纪检委员", unit=people["root"], kind="staff"))
        other = Appointment.objects.get(person__name="赵立新")
    client = as_user(people["clerk"])
    assert "纪检委员" not in client.get("/directory/").content.decode().split("user-menu")[0]
    assert client.post("/directory/acting/", {"appointment": second.id}).status_code == 302
    assert "纪检委员" in client.get("/directory/").content.decode().split('id="user-menu"')[0]
    assert client.post("/directory/acting/", {"appointment": other.id}).status_code == 403
    assert client.post("/directory/acting/", {"appointment": "x"}).status_code == 400


def upload(client: Client, content: bytes, name: str = "机构.xlsx") -> Any:
    return client.post("/organisation/workbook/", {"file": SimpleUploadedFile(name, content)})


def test_a_workbook_goes_through_dry_run_confirmation_and_import(
    people: dict[str, Any], settled_admin: Client, alpha: TenantRef, run_jobs: Callable[[], int]
) -> None:
    response = upload(settled_admin, books.whole())
    assert response.status_code == 302
    page = settled_admin.get(response.url).content.decode()
    assert "every 1s" in page
    run_jobs()
    page = settled_admin.get(response.url).content.decode()
    assert ("确认导入" in page, "every 1s" in page) == (True, False)
    with use_tenant(alpha):
        assert not Person.objects.filter(staff_number="1001").exists()
    for _twice in range(2):
        assert settled_admin.post(f"{response.url}confirm/").status_code == 302
    run_jobs()
    with use_tenant(alpha):
        done = WorkbookImport.objects.get()
        assert (done.state, done.percent) == ("done", 100)
        assert Person.objects.filter(staff_number="1001").exists()
    again = upload(settled_admin, books.whole())
    run_jobs()
    assert "完全相同" in settled_admin.get(again.url).content.decode()


def test_a_workbook_with_wrong_rows_shows_them_and_cannot_be_confirmed(
    people: dict[str, Any], settled_admin: Client, alpha: TenantRef, run_jobs: Callable[[], int]
) -> None:
    response = upload(settled_admin, books.book(people=[["1", ""], ["2", "甲", "", "电话"]]))
    run_jobs()
    page = settled_admin.get(response.url).content.decode()
    assert ("2 处错误" in page, "不是有效的电话号码" in page, "确认导入" in page) == (True, True, False)
    assert settled_admin.post(f"{response.url}confirm/").status_code == 409


def test_wrong_rows_are_named_in_the_language_of_who_uploads(
    people: dict[str, Any], settled_admin: Client, run_jobs: Callable[[], int]
) -> None:
    file = SimpleUploadedFile("o.xlsx", books.book(people=[["1", ""]]))
    english = {"accept-language": "en"}
    response = settled_admin.post("/organisation/workbook/", {"file": file}, headers=english)
    run_jobs()
    assert "Must not be empty" in settled_admin.get(response.headers["Location"], headers=english).content.decode()


def test_what_is_no_workbook_is_refused_at_once_with_the_reason(
    people: dict[str, Any], settled_admin: Client, alpha: TenantRef
) -> None:
    for content, words in [(b"%PDF-1.7", "不是 Excel"), ("工号,姓名".encode("gb18030"), "不是 Excel"), (b"", "空")]:
        response = upload(settled_admin, content)
        assert response.status_code == 422
        assert words in response.content.decode()
    assert settled_admin.post("/organisation/workbook/", {}).status_code == 422
    with use_tenant(alpha):
        assert not WorkbookImport.objects.exists()


def test_the_export_is_the_workbook_of_what_is_there(people: dict[str, Any], settled_admin: Client) -> None:
    response = settled_admin.get("/organisation/workbook/export/")
    assert response.headers["Content-Type"].endswith("spreadsheetml.sheet")
    import io

    from saas.organisation.workbook.layout import Sheet
    from saas.organisation.workbook.reading import read

    rows = read(io.BytesIO(response.content)).rows
    assert [row.text("姓名") for row in rows[Sheet.PEOPLE]] == ["赵立新", "王敏"]


def test_what_is_not_there_is_404(people: dict[str, Any], settled_admin: Client) -> None:
    for path in ("units", "posts", "people", "appointments", "workbook"):
        assert settled_admin.get(f"/organisation/{path}/{uuid4()}/").status_code == 404

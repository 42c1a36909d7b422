"""The consoles' pages over the real directory, key service and database of the management zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from saas.accounts.models import User
from saas.core.access import Role
from saas.env import env
from tenants.directory.models import BureauState, Cell, Command, DirectoryBureau, Fact
from tenants.protocol import CommandState, Kind
from tests.accounts.conftest import enrol_app, make_account

pytestmark = pytest.mark.django_db
FORM = {
    "name": "云州市大数据发展管理局",
    "code": "dsj",
    "short_name": "",
    "level": "city",
    "division_code": "110101",
    "parent_code": "",
    "plan": "",
}
Browse = Callable[[Role], Client]


@pytest.fixture
def browse() -> Browse:
    """A browser at the operations console, signed in as a new account with the role."""

    def sign_in(role: Role) -> Client:
        user = make_account(f"console-{role.value.replace('_', '-')}", role)
        enrol_app(user)
        client = Client(headers={"host": f"ops.{env.host_suffix}"})
        client.force_login(User.objects.for_request().get(pk=user.pk))
        return client

    return sign_in


@pytest.fixture
def cells() -> dict[str, Cell]:
    """One cell of each zone, just heard of, with what it says about itself."""
    now = timezone.now()
    made = {zone: Cell.objects.create(zone=zone, name="c1", last_seen_at=now) for zone in ("intranet", "extranet")}
    facts: dict[str, Any] = {
        "health": {"database_ms": 0.4, "vault": "ready", "vault_ms": 3.1, "storage_ms": 612.0},
        "jobs": {"todo": 7, "doing": 1, "failed": 1},
        "failed_jobs": [{"id": 41, "task": "documents.render", "error": "Unavailable", "attempts": 5, "bureau": "dsj"}],
    }
    for kind, value in facts.items():
        Fact.objects.create(cell=made["intranet"], kind=kind, at=now, value=value)
    return made


def bureau(state: BureauState, **values: str) -> DirectoryBureau:
    """A bureau of the directory."""
    return DirectoryBureau.objects.create(
        **{
            "code": "dsj",
            "name": FORM["name"],
            "division_code": "110101",
            "level": "city",
            "schema_name": "b_0123456789ab",
            "state": state,
            **values,
        }
    )


def test_home_leads_operations_to_the_bureaus_and_security_to_the_boundaries(browse: Browse) -> None:
    assert browse(Role.OPERATIONS).get("/").headers["Location"] == "/bureaus/"
    assert browse(Role.SECURITY_OFFICER).get("/").headers["Location"] == "/security/"


@pytest.mark.parametrize("path", ["/bureaus/", "/bureaus/new/", "/health/", "/jobs/"])
def test_the_security_officer_cannot_operate(browse: Browse, path: str) -> None:
    assert browse(Role.SECURITY_OFFICER).get(path).status_code == 403


def test_operations_cannot_open_the_security_officers_page(browse: Browse) -> None:
    assert browse(Role.OPERATIONS).get("/security/").status_code == 403


def test_an_empty_cloud_says_what_to_do(browse: Browse) -> None:
    page = browse(Role.OPERATIONS).get("/bureaus/").content.decode()
    assert "还没有单位接入" in page
    assert 'href="/bureaus/new/"' in page


def test_the_list_shows_state_host_and_accounts(browse: Browse, cells: dict[str, Cell]) -> None:
    bureau(BureauState.ACTIVE)
    bureau(BureauState.FAILED, code="fgj", name="云州市发展和改革局", schema_name="b_0123456789ac")
    value = {"state": "active", "users": 61, "migration_error": "", "migrated_at": "2026-11-20T08:00:00+00:00"}
    Fact.objects.create(cell=cells["intranet"], kind="bureau", bureau_code="dsj", at=timezone.now(), value=value)
    client = browse(Role.OPERATIONS)
    page = client.get("/bureaus/").content.decode()
    assert f"dsj.{env.host_suffix}" in page
    assert '<span class="tag good">正常</span>' in page
    assert '<td class="num" data-label="账号">61</td>' in page
    found = client.get("/bureaus/", {"q": "发展和", "state": "failed"}).content.decode()
    assert "云州市发展和改革局" in found
    assert "大数据发展管理局" not in found


def test_the_list_stays_within_its_query_budget(
    browse: Browse, cells: dict[str, Cell], django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        bureau(BureauState.ACTIVE, code=f"b{number}", schema_name=f"b_0123456789{number:02x}")
    client = browse(Role.OPERATIONS)
    with django_assert_max_num_queries(8):
        assert client.get("/bureaus/").status_code == 200


def test_ordering_a_bureau_shows_three_sign_ins_once_and_its_progress(browse: Browse, cells: dict[str, Cell]) -> None:
    client = browse(Role.OPERATIONS)
    answer = client.post("/bureaus/new/", FORM)
    page = answer.content.decode()
    assert answer.status_code == 201
    passwords = re.findall(r'<code class="secret">([^<]+)</code>', page)
    assert len(passwords) == len(set(passwords)) == 3
    assert 'hx-get="/bureaus/dsj/progress/"' in page
    assert sorted(Command.objects.values_list("cell__zone", flat=True)) == ["extranet", "intranet"]
    later = client.get("/bureaus/dsj/").content.decode()
    assert not any(password in later for password in passwords)


def test_progress_is_asked_for_until_every_cell_has_answered(browse: Browse, cells: dict[str, Cell]) -> None:
    client = browse(Role.OPERATIONS)
    client.post("/bureaus/new/", FORM)
    Command.objects.update(state=CommandState.RUNNING.value, progress=50, step="建立数据空间")
    running = client.get("/bureaus/dsj/progress/").content.decode()
    assert "内网 c1：执行中 建立数据空间" in running
    assert 'value="50"' in running
    assert "hx-get" in running
    Command.objects.update(state=CommandState.DONE.value, progress=100)
    DirectoryBureau.objects.update(state=BureauState.ACTIVE)
    finished = client.get("/bureaus/dsj/progress/").content.decode()
    assert "已开通，可以登录了。" in finished
    assert "hx-get" not in finished


def test_a_wrong_form_is_kept_with_its_errors_and_nothing_is_ordered(browse: Browse, cells: dict[str, Cell]) -> None:
    answer = browse(Role.OPERATIONS).post("/bureaus/new/", {**FORM, "code": "Ops", "division_code": "999999"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'value="{FORM["name"]}"' in page
    assert 'href="#id_code"' in page
    assert 'href="#id_division_code"' in page
    assert not DirectoryBureau.objects.exists()
    assert not Command.objects.exists()


def test_a_code_that_exists_is_a_conflict_and_the_form_is_kept(browse: Browse, cells: dict[str, Cell]) -> None:
    bureau(BureauState.ACTIVE)
    answer = browse(Role.OPERATIONS).post("/bureaus/new/", FORM)
    assert answer.status_code == 409
    assert "这个单位代码已被使用。" in answer.content.decode()
    assert not Command.objects.exists()


def test_ordering_without_cells_says_what_to_start(browse: Browse) -> None:
    answer = browse(Role.OPERATIONS).post("/bureaus/new/", FORM)
    assert answer.status_code == 503
    assert "agent" in answer.content.decode()
    assert not DirectoryBureau.objects.exists()


def test_suspending_needs_the_typed_code(browse: Browse, cells: dict[str, Cell]) -> None:
    found = bureau(BureauState.ACTIVE)
    client = browse(Role.OPERATIONS)
    refused = client.post("/bureaus/dsj/suspend/", {"typed": "ds"})
    assert refused.status_code == 422
    assert not Command.objects.exists()
    answer = client.post("/bureaus/dsj/suspend/", {"typed": "dsj"}, follow=True)
    assert "已下达停用，单元执行后生效。" in answer.content.decode()
    assert set(Command.objects.filter(bureau=found).values_list("kind", flat=True)) == {Kind.SUSPEND.value}


def test_a_bureau_at_work_cannot_be_resumed(browse: Browse, cells: dict[str, Cell]) -> None:
    bureau(BureauState.ACTIVE)
    assert browse(Role.OPERATIONS).post("/bureaus/dsj/resume/").status_code == 409
    assert not Command.objects.exists()


def test_health_names_what_is_slow_and_what_is_lost(browse: Browse, cells: dict[str, Cell]) -> None:
    Cell.objects.filter(zone="extranet").update(last_seen_at=timezone.now() - timedelta(minutes=5))
    client = browse(Role.OPERATIONS)
    page = client.get("/health/").content.decode()
    assert page.count('<span class="tag bad">失联</span>') == 1
    assert '<svg class="gauge warn"' in page
    fragment = client.get("/health/", headers={"HX-Request": "true"}).content.decode()
    assert fragment.lstrip().startswith('<div id="cells"')


def test_a_failed_job_is_shown_and_ordered_again(browse: Browse, cells: dict[str, Cell]) -> None:
    client = browse(Role.OPERATIONS)
    assert "documents.render" in client.get("/jobs/").content.decode()
    client.post("/jobs/retry/", {"cell": str(cells["intranet"].id), "job": "41"})
    assert Command.objects.get().kind == Kind.RETRY_JOB


@pytest.mark.parametrize("job", ["", "x", "-1", "９", "9" * 30])
def test_a_job_that_is_no_number_is_refused(browse: Browse, cells: dict[str, Cell], job: str) -> None:
    answer = browse(Role.OPERATIONS).post("/jobs/retry/", {"cell": str(cells["intranet"].id), "job": job})
    assert answer.status_code == 422
    assert not Command.objects.exists()


def test_a_cell_that_is_none_is_not_found(browse: Browse, cells: dict[str, Cell]) -> None:
    answer = browse(Role.OPERATIONS).post("/jobs/retry/", {"cell": "none", "job": "41"})
    assert answer.status_code == 404


def test_the_boundaries_are_measured(browse: Browse, cells: dict[str, Cell]) -> None:
    page = browse(Role.SECURITY_OFFICER).get("/security/").content.decode()
    assert '<span class="tag good">符合</span>' in page
    assert "<dt>单位角色</dt><dd>0</dd>" in page
    assert "没有被拒绝的指令" in page


def test_the_auditor_sees_the_boundaries_and_is_led_to_the_trail(browse: Browse, cells: dict[str, Cell]) -> None:
    auditor = browse(Role.PLATFORM_AUDITOR)
    assert 'href="/audit/"' in auditor.get("/security/").content.decode()
    assert auditor.get("/roles/").status_code == 403
    officer = browse(Role.SECURITY_OFFICER)
    assert 'href="/audit/"' not in officer.get("/security/").content.decode()
    assert officer.get("/audit/").status_code == 403

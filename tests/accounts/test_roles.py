"""Three administrators: what each may do, what none may, and what the database itself refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.test import Client

from saas.accounts import blockers, services
from saas.accounts.models import RoleGrant, User
from saas.accounts.services import role_grant, role_revoke, user_create
from saas.core.access import EXCLUSIVE_ROLES, Permission, Role
from saas.core.actors import SYSTEM, Actor
from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound
from saas.core.tenancy import TenantRef
from tests.accounts.conftest import acting, browser_at, enrol_app, grants_of, make_account, sign_in, totp_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_alpha")]

Admins = dict[Role, User]
S, C, A = Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN

# Every service on another's account, and who may call it.
MATRIX: list[tuple[str, Callable[[User, Actor], object], frozenset[Role]]] = [
    ("create", lambda _user, by: services.user_create(username="new", name="新人", by=by), frozenset({S})),
    ("disable", lambda user, by: services.user_disable(user_id=user.pk, by=by), frozenset({S})),
    ("enable", lambda user, by: services.user_enable(user_id=user.pk, by=by), frozenset({S})),
    ("reset", lambda user, by: services.password_reset(user_id=user.pk, by=by), frozenset({S})),
    ("grant", lambda user, by: services.role_grant(user_id=user.pk, role=Role.CLERK, by=by), frozenset({C})),
    ("revoke", lambda user, by: services.role_revoke(user_id=user.pk, role=Role.ARCHIVIST, by=by), frozenset({C})),
    ("unlock", lambda user, by: services.unlock(user_id=user.pk, by=by), frozenset({C})),
    ("sessions", lambda user, by: services.sessions_end(user_id=user.pk, by=by), frozenset({C})),
    ("factor", lambda user, by: services.second_factor_reset(user_id=user.pk, by=by), frozenset({C})),
    (
        "require factor",
        lambda user, by: services.second_factor_require(user_id=user.pk, required=True, by=by),
        frozenset({C}),
    ),
    (
        "password",
        lambda user, by: services.password_change(user_id=user.pk, password="其他人的-password-9", by=by),
        frozenset(),
    ),
    ("initial", lambda _user, by: services.create_initial_administrators(hashes={}, by=by), frozenset()),
    (
        "create with hash",
        lambda _user, by: services.user_create(username="new", name="新人", by=by, password_hash="!x"),
        frozenset(),
    ),
]


def snapshot() -> object:
    """Everything these services change."""
    users = list(User.objects.order_by("pk").values())
    return users, sorted(RoleGrant.objects.values_list("user_id", "role")), Session.objects.count()


@pytest.mark.parametrize("role", [S, C, A, None], ids=["system", "security", "audit", "clerk"])
@pytest.mark.parametrize(("name", "call", "allowed"), MATRIX, ids=[row[0] for row in MATRIX])
def test_each_administrator_does_only_his_own(
    three_administrators: Admins,
    name: str,
    call: Callable[[User, Actor], object],
    allowed: frozenset[Role],
    role: Role | None,
) -> None:
    target = make_account("target", Role.ARCHIVIST)
    caller = three_administrators[role] if role else make_account("caller", Role.CLERK)
    before, records = snapshot(), AuditRecord.objects.count()
    if role in allowed:
        call(target, acting(caller))
        return
    with pytest.raises((Forbidden, NotFound)):
        call(target, acting(caller))
    assert snapshot() == before
    assert AuditRecord.objects.count() == records


@pytest.mark.parametrize("name,call", [row[:2] for row in MATRIX[1:9]], ids=[row[0] for row in MATRIX[1:9]])
def test_a_stranger_and_a_disabled_administrator_may_nothing(
    three_administrators: Admins, name: str, call: Callable[[User, Actor], object]
) -> None:
    target = make_account("target", Role.ARCHIVIST)
    User.objects.filter(pk__in=[user.pk for user in three_administrators.values()]).update(is_active=False)
    for by in [Actor(user_id=None, user_name=""), *map(acting, three_administrators.values())]:
        with pytest.raises(Forbidden):
            call(target, by)


def test_nobody_grants_himself(three_administrators: Admins) -> None:
    security = three_administrators[C]
    for role in Role:
        with pytest.raises((Forbidden, Invalid)):
            role_grant(user_id=security.pk, role=role, by=acting(security))
    with pytest.raises(Forbidden):
        role_revoke(user_id=security.pk, role=C, by=acting(security))
    with pytest.raises(Forbidden):
        services.unlock(user_id=security.pk, by=acting(security))
    assert grants_of(security) == {"security_admin"}


def test_the_system_administrator_cannot_take_an_administrators_account(three_administrators: Admins) -> None:
    by = acting(three_administrators[S])
    for role in (C, A):
        target = three_administrators[role]
        for call in (services.password_reset, services.user_disable, services.user_enable):
            with pytest.raises(Forbidden, match="管理员账号"):
                call(user_id=target.pk, by=by)
        assert User.objects.get(pk=target.pk).password == target.password


def test_whoever_made_an_account_cannot_become_its_administrator(three_administrators: Admins) -> None:
    issued = user_create(username="fresh", name="新任", by=acting(three_administrators[S]))
    with pytest.raises(Conflict, match="自行设置密码"):
        role_grant(user_id=issued.user.pk, role=A, by=acting(three_administrators[C]))
    services.password_change(user_id=issued.user.pk, password="自己的-password-9", by=acting(issued.user))
    role_grant(user_id=issued.user.pk, role=A, by=acting(three_administrators[C]))
    assert grants_of(issued.user) == {"audit_admin"}


@pytest.mark.parametrize(("first", "second"), [(S, C), (S, Role.CLERK), (Role.CLERK, A), (A, A), (C, A)])
def test_an_administrators_role_stands_alone(three_administrators: Admins, first: Role, second: Role) -> None:
    user = make_account("both", first)
    with pytest.raises(Conflict):
        role_grant(user_id=user.pk, role=second, by=acting(three_administrators[C]))
    assert grants_of(user) == {first.value}


def test_office_roles_go_together(three_administrators: Admins) -> None:
    user = make_account("clerk", Role.CLERK)
    role_grant(user_id=user.pk, role=Role.ARCHIVIST, by=acting(three_administrators[C]))
    user = User.objects.for_request().get(pk=user.pk)
    assert user.roles == {Role.CLERK, Role.ARCHIVIST}
    assert user.has_permission(Permission.USE_SEALS)
    assert user.has_permission(Permission.KEEP_ARCHIVE)
    assert not user.has_permission(Permission.MANAGE_ACCOUNTS)


@pytest.mark.parametrize("role", sorted(EXCLUSIVE_ROLES - {S, C, A}))
def test_platform_roles_do_not_exist_in_a_bureau(three_administrators: Admins, role: Role) -> None:
    with pytest.raises(Invalid):
        role_grant(user_id=make_account("x").pk, role=role, by=acting(three_administrators[C]))


def test_the_last_administrator_of_a_kind_stays(three_administrators: Admins) -> None:
    by = acting(three_administrators[C])
    others = RoleGrant.objects.filter(role="audit_admin").exclude(user=three_administrators[A])
    for grant in others:
        role_revoke(user_id=grant.user_id, role=A, by=by)
    with pytest.raises(Conflict, match="最后一位"):
        role_revoke(user_id=three_administrators[A].pk, role=A, by=by)
    assert grants_of(three_administrators[A]) == {"audit_admin"}


def test_a_revoked_administrator_is_an_ordinary_account_again(three_administrators: Admins) -> None:
    user = make_account("second", A)
    role_revoke(user_id=user.pk, role=A, by=acting(three_administrators[C]))
    services.password_reset(user_id=user.pk, by=acting(three_administrators[S]))
    role_grant(user_id=user.pk, role=Role.CLERK, by=acting(three_administrators[C]))
    assert grants_of(user) == {"clerk"}


def _grant_row(user: User, role: Role, **changes: object) -> RoleGrant:
    values = {"user": user, "role": role.value, "exclusive": role in EXCLUSIVE_ROLES, "granted_by_name": "x"}
    return RoleGrant(**{**values, **changes})


def test_the_database_refuses_what_the_services_would(three_administrators: Admins) -> None:
    clerk, admin, plain = make_account("clerk", Role.CLERK), make_account("admin2", S), make_account("plain")
    wrong = [
        _grant_row(clerk, A),  # an administrator's role beside an office role
        _grant_row(admin, Role.CLERK),  # and the other way round
        _grant_row(admin, A),  # two administrators' roles
        _grant_row(admin, A, exclusive=False),  # the same, lying about its kind
        _grant_row(plain, A, exclusive=False),
        _grant_row(plain, Role.CLERK, exclusive=True),
        _grant_row(clerk, Role.CLERK),  # twice
        _grant_row(plain, Role.CLERK, granted_by=plain),  # himself
    ]
    for grant in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            grant.save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=clerk.pk).update(administrator=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        User(username="Upper", name="x").save(force_insert=True)


def test_disabling_waits_until_the_tasks_are_handed_over(
    three_administrators: Admins, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_account("busy")
    monkeypatch.setattr(blockers, "_blockers", [lambda user_id: ["还有 3 件待办"] if user_id == user.pk else []])
    with pytest.raises(Conflict, match="还有 3 件待办"):
        services.user_disable(user_id=user.pk, by=acting(three_administrators[S]))
    assert User.objects.get(pk=user.pk).is_active


def test_the_audit_trail_names_the_administrator_and_the_account(three_administrators: Admins) -> None:
    user = make_account("lijianguo")
    role_grant(user_id=user.pk, role=Role.CLERK, by=acting(three_administrators[C]))
    record = AuditRecord.objects.latest("id")
    assert record.event == "account.role_granted"
    assert record.user_id == three_administrators[C].pk
    assert (record.target_label, record.detail) == ("李建国（lijianguo）", {"role": "clerk"})


def test_initial_administrators_change_their_password_first(beta: TenantRef) -> None:
    from django.contrib.auth.hashers import make_password

    from tenants.context import use_tenant

    with use_tenant(beta):
        User.objects.exists()
        RoleGrant.objects.all().delete()
        User.objects.all().delete()
        made = services.create_initial_administrators(
            hashes={role: make_password("One-time-123") for role in (S, C, A)}, by=SYSTEM
        )
        assert {role: (user.username, user.must_change_password) for role, user in made.items()} == {
            S: ("system-admin", True),
            C: ("security-admin", True),
            A: ("audit-admin", True),
        }
        assert grants_of(made[C]) == {"security_admin"}
        with pytest.raises(Conflict):
            services.create_initial_administrators(hashes={S: "!"}, by=SYSTEM)


PAGES: list[tuple[str, set[Role | None]]] = [
    ("/accounts/", {S}),
    ("/accounts/new/", {S}),
    ("/accounts/{id}/", {S}),
    ("/roles/", {C}),
    ("/roles/{id}/", {C}),
    ("/sessions/", {C}),
    ("/settings/", {S, C, A, None}),
]


def signed_in(bureau: TenantRef, user: User) -> Client:
    """A browser with both factors shown."""
    secret = enrol_app(user)
    client = browser_at(bureau)
    sign_in(client, user.username)
    answer = client.post("/sign-in/second-factor/", {"code": totp_now(secret)})
    assert answer.status_code == 302, answer.content.decode()
    return client


@pytest.mark.parametrize("role", [S, C, A, None], ids=["system", "security", "audit", "staff"])
def test_each_page_opens_for_its_administrator_alone(
    in_alpha: TenantRef, role: Role | None, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(in_alpha, make_account("caller", *([role] if role else [])))
    target = make_account("target")
    for page, allowed in PAGES:
        with django_assert_max_num_queries(8):
            status = client.get(page.format(id=target.pk)).status_code
        assert status == (200 if role in allowed else 403), page


def test_a_refused_page_is_recorded_with_who_and_what(in_alpha: TenantRef) -> None:
    auditor = make_account("auditor2", A)
    client = signed_in(in_alpha, auditor)
    assert client.get("/roles/?q=secret").status_code == 403
    record = AuditRecord.objects.latest("id")
    assert (record.event, record.user_id, record.target_id) == ("access.denied", auditor.pk, "/roles/")


def test_an_account_is_made_shown_once_found_and_reset(in_alpha: TenantRef) -> None:
    client = signed_in(in_alpha, make_account("admin2", S))
    page = client.post("/accounts/new/", {"username": "WangFang", "name": " 王芳 "})
    assert page.status_code == 200
    user = User.objects.get(username="wangfang")
    password = page.content.decode().split('id="one-time-password">')[1].split("<")[0]
    assert user.check_password(password)
    assert "王芳" in client.get("/accounts/", {"q": "王"}).content.decode()
    assert "没有找到账号" in client.get("/accounts/", {"q": "不存在\x00"}).content.decode()
    again = client.post("/accounts/new/", {"username": "wangfang", "name": "王芳"})
    assert again.status_code == 409
    assert 'value="wangfang"' in again.content.decode()
    client.post(f"/accounts/{user.pk}/reset/")
    assert not User.objects.get(pk=user.pk).check_password(password)


@pytest.mark.parametrize(
    ("username", "name"),
    [
        ("", "王芳"),
        ("王芳", "王芳"),
        ("a b", "王芳"),
        ("-a", "王芳"),
        ("a" * 33, "王芳"),
        ("ok", " "),
        ("ok", "王" * 65),
    ],
)
def test_a_bad_new_account_is_refused_and_kept(in_alpha: TenantRef, username: str, name: str) -> None:
    client = signed_in(in_alpha, make_account("admin2", S))
    page = client.post("/accounts/new/", {"username": username, "name": name})
    assert page.status_code == 422
    assert not User.objects.filter(username__in=["ok", "王芳"]).exists()


def test_long_lists_are_turned_page_by_page(in_alpha: TenantRef) -> None:
    from saas.accounts.selectors import accounts_page

    for number in range(25):
        make_account(f"person{number:02}")
    first = accounts_page(query="person", size=10)
    second = accounts_page(query="person", after=first.after, size=10)
    third = accounts_page(query="person", after=second.after, size=10)
    assert [len(page.users) for page in (first, second, third)] == [10, 10, 5]
    assert (first.before, third.after) == ("", "")
    back = accounts_page(query="person", before=second.before, size=10)
    assert [user.username for user in back.users] == [user.username for user in first.users]


def test_the_security_administrator_sees_who_is_signed_in_and_ends_it(in_alpha: TenantRef) -> None:
    staff, other = make_account("staff9", name="李建国"), make_account("staff8", name="周敏")
    theirs, others = browser_at(in_alpha), browser_at(in_alpha)
    sign_in(theirs, staff.username)
    sign_in(others, other.username)
    assert theirs.get("/settings/").status_code == 200
    officer = signed_in(in_alpha, make_account("security9", C, name="安全管理员"))
    page = officer.get("/sessions/").content.decode()
    assert "李建国" in page
    assert "周敏" in page
    assert "周敏" not in officer.get("/sessions/?q=staff9").content.decode()
    session = UserSession.objects.get(user=staff)
    assert others.post(f"/sessions/{session.pk}/end/").status_code == 403
    assert theirs.get("/settings/").status_code == 200
    assert officer.post(f"/sessions/{session.pk}/end/").status_code == 302
    assert theirs.get("/settings/").status_code == 302
    assert officer.post(f"/sessions/{session.pk}/end/").status_code == 404
    assert officer.post(f"/roles/{other.pk}/do/end-sessions/").status_code == 302
    assert others.get("/settings/").status_code == 302
    ended = AuditRecord.objects.filter(event="account.session_ended").order_by("id")
    assert [(row.target_id, row.detail) for row in ended] == [
        (str(staff.pk), {}),
        (str(other.pk), {"sessions": 1}),
    ]


def test_a_system_administrator_ends_nobody_elses_session(in_alpha: TenantRef) -> None:
    staff = make_account("staff9")
    theirs = browser_at(in_alpha)
    sign_in(theirs, staff.username)
    session = UserSession.objects.get(user=staff)
    with pytest.raises(NotFound):
        services.session_end(session_id=session.pk, by=acting(make_account("system9", S)))
    assert theirs.get("/settings/").status_code == 200

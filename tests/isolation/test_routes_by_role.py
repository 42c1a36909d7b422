"""Every intranet route × every role × two bureaus: the status is the one written down here."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.handlers.base import BaseHandler
from django.http import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import get_resolver

from saas.accounts.models import User
from saas.approvals.selectors import TodoQuery, seats_of, todo_list
from saas.core.access import ROLE_PERMISSIONS, Permission, Role
from saas.core.tenancy import TenantRef
from saas.documents.models import NumberBook
from saas.organisation.models import Person, Post, Unit
from saas.portal.demo import papers, stage, work
from saas.portal.demo.cast import FGJ, JXJ
from saas.seals.models import Seal
from tenants.context import use_tenant
from tests.contracts.routes import Route, walk

STAFF = {"drafter", "section_head", "head", "clerk", "archivist", "flow_admin"}
ADMINISTRATORS = {"system_admin", "security_admin", "audit_admin"}
EVERYBODY = STAFF | ADMINISTRATORS
# Who holds a permission. A role that is added to saas.core.access must be written down here as well.
HOLDERS: dict[str, set[str]] = {
    Permission.SIGNED_IN: EVERYBODY,
    Permission.STAFF: STAFF,
    Permission.MANAGE_ORGANISATION: {"system_admin"},
    Permission.MANAGE_ACCOUNTS: {"system_admin"},
    Permission.SEE_JOBS: {"system_admin"},
    Permission.GRANT_ROLES: {"security_admin"},
    Permission.READ_AUDIT: {"audit_admin"},
    Permission.DESIGN_FLOWS: {"flow_admin"},
    Permission.KEEP_NUMBERS: {"clerk"},
    Permission.USE_SEALS: {"clerk"},
    Permission.REGISTER_INCOMING: {"clerk"},
    Permission.KEEP_ARCHIVE: {"archivist"},
    Permission.KEEP_REGULATIONS: {"archivist"},
}
# A page that is there (or not yet, for what the account has not set up), one that leads on, one that only takes a
# POST, one that misses its parameters.
OPEN = {200, 302, 400, 404, 405, 422}
# An object of the route that this person may not know of, or that is not in the state the page is for.
SOMEBODY_ELSES = {403, 404, 409}
# A route that only takes a POST may say so before it asks who is there.
CLOSED = {403, 405}
# What would tell somebody of another bureau's object, or change it.
TELLING = {200, 201, 204, 302, 409, 500}


class Visitor:
    """Asks the whole chain of middleware and views with a client's cookies.

    Not through the test client: it copies every template's context, which here would take longer than the views.
    """

    def __init__(self, client: Client | None = None, *, host: str = "alpha.localhost") -> None:
        self.factory = RequestFactory(headers={"host": client.defaults["HTTP_HOST"] if client else host})
        if client is not None:
            self.factory.cookies = client.cookies
        self.handler = BaseHandler()
        self.handler.load_middleware()

    def ask(self, method: str, path: str, *, accept: str = "text/html") -> HttpResponseBase:
        """The answer to one request; not closed, for that would close the test's own transaction."""
        request = self.factory.generic(method, path, headers={"accept": accept})
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return self.handler.get_response(request)


def routes() -> list[Route]:
    return [route for route in walk(get_resolver("saas.urls_intranet").url_patterns) if "logout" not in route.pattern]


@pytest.fixture
def office(in_alpha: TenantRef, run_jobs: Callable[[], int]) -> dict[str, str]:
    """Alpha at work; the ids of its objects by the name a route's parameter has."""
    stage.set_up(JXJ, password="a-demo-password-2026")
    run_jobs()
    desk = work.Desk(JXJ, run_jobs)
    document = work.draft(desk, papers.TRAINING, office=5)
    instance = work.submit(desk, document, office=5)
    asked = stage.actor(stage.section_head(JXJ, 5).username)
    task = next(row for row in todo_list(seats_of(asked.person_id), TodoQuery()).rows if row.instance_id == instance)
    return {
        "document_id": str(document.id),
        "instance_id": str(instance),
        "task_id": str(task.id),
        "seal_id": str(Seal.objects.get().id),
        "book_id": str(NumberBook.objects.all()[0].id),
        "unit_id": str(Unit.objects.all()[0].id),
        "post_id": str(Post.objects.all()[0].id),
        "person_id": str(Person.objects.all()[0].id),
        "user_id": str(User.objects.all()[0].pk),
    }


def people(plan_index: int = 0) -> Iterator[tuple[str, User]]:
    plan = (JXJ, FGJ)[plan_index]
    names = {
        "drafter": stage.drafter(plan, 5).username,
        "section_head": stage.section_head(plan, 5).username,
        "head": stage.head(plan).username,
        "clerk": stage.clerk(plan).username,
        "archivist": stage.archivist(plan).username,
    }
    for role, username in names.items():
        yield role, User.objects.get(username=username)
    yield "flow_admin", User.objects.get(grants__role=Role.FLOW_ADMIN)
    for role in sorted(ADMINISTRATORS):
        user = User.objects.get(grants__role=role)
        TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        yield role, user


def address(route: Route, ids: dict[str, str]) -> str:
    """The route's path with real ids where the bureau has such an object, else with ones that nobody has."""

    def fill(match: re.Match[str]) -> str:
        kind, name = match.group(1), match.group(2)
        if kind == "uuid":
            return ids.get(name, str(uuid.UUID(int=7)))
        return "1" if kind == "int" else ids.get(name, "x")

    return "/" + re.sub(r"<(?:(\w+):)?(\w+)>", fill, route.pattern)


def test_every_permission_of_a_route_is_written_down() -> None:
    asked = {route.permission for route in routes()} - {Permission.PUBLIC}
    assert asked <= set(HOLDERS)
    for role, permissions in ROLE_PERMISSIONS.items():
        for permission in permissions & set(HOLDERS):
            if role.value in EVERYBODY:
                assert role.value in HOLDERS[permission]


def test_each_role_gets_what_is_written_down(office: dict[str, str], as_user: Callable[..., Client]) -> None:
    wrong = []
    visitors = {role: Visitor(as_user(user)) for role, user in people()}
    nobody = Visitor()
    for route in routes():
        if route.permission == Permission.PUBLIC:
            continue
        path = address(route, office)
        anonymous = nobody.ask("GET", path)
        led = anonymous.headers.get("Location", "")
        if anonymous.status_code != 405 and not (anonymous.status_code == 302 and led.startswith("/sign-in/")):
            wrong.append(f"anonymous {path}: {anonymous.status_code}")
        for role, visitor in visitors.items():
            allowed = role in HOLDERS[str(route.permission)]
            # A refusal as JSON is drawn without the frame of a page.
            status = visitor.ask("GET", path, accept="text/html" if allowed else "application/json").status_code
            expected = (OPEN | (SOMEBODY_ELSES if "<" in route.pattern else set())) if allowed else CLOSED
            if status not in expected:
                wrong.append(f"{role} {path}: {status}, expected {sorted(expected)}")
    assert wrong == []


def test_another_bureaus_objects_do_not_exist(
    office: dict[str, str], beta: TenantRef, run_jobs: Callable[[], int], as_user: Callable[..., Client]
) -> None:
    with use_tenant(beta):
        stage.set_up(FGJ, password="a-demo-password-2026")
        visitors = {role: Visitor(as_user(user, bureau=beta)) for role, user in people(1)}
    seen = []
    for route in routes():
        if not any(f":{name}>" in route.pattern for name in office) or route.permission == Permission.PUBLIC:
            continue
        path = address(route, office)
        # Whoever lacks the permission is turned away before the object is looked for: the test above.
        for role, visitor in ((role, visitors[role]) for role in sorted(HOLDERS[str(route.permission)])):
            for method in ("GET", "POST"):
                status = visitor.ask(method, path, accept="application/json").status_code
                if status in TELLING:
                    seen.append(f"{role} {method} {path}: {status}")
    assert seen == []

"""An office with a drafter, a leader and a clerk, a flow that ends with 签发, and a number book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from saas.core.actors import SYSTEM, Actor
from saas.documents.elements import Elements
from saas.documents.kinds import Kind, Sensitivity, Urgency
from tests.documents.samples import BODY


@dataclass(frozen=True)
class Office:
    """Three people at work; `users` are their accounts."""

    drafter: Actor
    leader: Actor
    clerk: Actor
    users: dict[str, Any]


def draft_input(**changes: Any) -> Any:
    from saas.documents.services import DraftInput

    elements = {
        "title": "云州市大数据发展管理局关于开展安全检查工作的通知",
        "mark": "云州市大数据发展管理局文件",
        "recipients": "各县（市、区）大数据局",
        "body": BODY,
        "signatures": ("云州市大数据发展管理局",),
        "printer": "云州市大数据发展管理局办公室",
    }
    return DraftInput(
        kind=changes.pop("kind", Kind.NOTICE),
        urgency=changes.pop("urgency", Urgency.NONE),
        sensitivity=changes.pop("sensitivity", Sensitivity.INTERNAL),
        elements=Elements(**elements | changes),
    )


def make_office() -> Office:
    from saas.accounts.actors import resolve
    from saas.accounts.services import role_grant
    from saas.core.access import Role
    from tests.organisation import makers

    unit = makers.unit("办公室")
    users = {}
    for key, name, post, kind in (
        ("drafter", "周敏", "科员", "staff"),
        ("leader", "李建国", "局长", "leader"),
        ("clerk", "孙文", "文书", "clerk"),
    ):
        users[key] = makers.staff(name, post=makers.post(post, unit=unit, kind=kind))
    role_grant(user_id=users["clerk"].id, role=Role.CLERK, by=SYSTEM)
    actors = {key: resolve(user, None) for key, user in users.items()}
    return Office(**actors, users=users)


def install_flow(office: Office, key: str = "outgoing") -> None:
    from saas.approvals.services import flow_create, flow_publish

    leader = [{"rule": "post", "id": str(office.leader.post_id)}]
    tree = {
        "nodes": [
            {"kind": "start", "key": "start", "name": "拟稿"},
            {"kind": "approve", "key": "sign", "name": "签发", "who": leader, "marks": ["sign_off"]},
            {"kind": "end", "key": "end", "name": "结束"},
        ]
    }
    flow_publish(version_id=flow_create(key=key, name="发文", tree=tree, by=SYSTEM).id, by=SYSTEM)


@pytest.fixture
def office(in_alpha: Any) -> Office:
    """The office in alpha; gone after the test."""
    made = make_office()
    install_flow(made)
    install_flow(made, "incoming")
    return made


@pytest.fixture
def as_user(alpha: Any, as_user: Any) -> Any:
    """The same clients; after each answer the test goes on working for alpha."""
    from django.db import connection

    from tenants.context import ActiveTenant

    def sign_in(user: Any) -> Any:
        client = as_user(user)
        ask = client.request

        def request(**environ: Any) -> Any:
            try:
                return ask(**environ)
            finally:
                connection.set_tenant(ActiveTenant(alpha))  # type: ignore[attr-defined]

        client.request = request
        return client

    return sign_in

"""The clerk is told what waits for a number or a seal; nobody else is, and nobody else pays for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client

from tests.documents.conftest import Office
from tests.documents.test_pages import cost
from tests.documents.test_services import numbered, signed_off


def menu(page: str) -> str:
    return page[page.index('href="/documents/issuing/"') :][:300]


def test_the_clerk_sees_what_waits_in_menu_tabs_and_list(
    office: Office, as_user: Callable[..., Client], run_jobs: Any
) -> None:
    clerk = as_user(office.users["clerk"])
    assert "没有等待办理的公文" in clerk.get("/documents/issuing/").content.decode()
    to_seal = numbered(office)
    run_jobs()
    to_number = signed_off(office, title="云州市大数据发展管理局关于第二件事的通知")
    assert ">2<" in menu(clerk.get("/tasks/").content.decode())
    page = clerk.get("/documents/issuing/").content.decode()
    assert "待编号 1" in page
    assert "待用印 1" in page
    assert to_number.title in page
    assert to_seal.title not in page
    assert to_seal.title in clerk.get("/documents/issuing/?tab=seal").content.decode()
    assert "待编号 1" in clerk.get("/documents/outgoing/").content.decode()


def test_others_are_neither_told_nor_let_in(office: Office, as_user: Callable[..., Client]) -> None:
    signed_off(office)
    drafter = as_user(office.users["drafter"])
    page = drafter.get("/documents/outgoing/").content.decode()
    assert "/documents/issuing/" not in page
    assert "待编号 1" not in page
    assert drafter.get("/documents/issuing/").status_code == 403


def test_the_list_keeps_to_its_queries(office: Office, as_user: Callable[..., Client]) -> None:
    clerk = as_user(office.users["clerk"])
    signed_off(office)
    clerk.get("/documents/books/")
    assert cost(clerk, "/documents/issuing/") <= 8

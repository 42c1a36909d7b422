"""A preview has a largest text, one of a person's runs at a time, and the newest one goes first."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.test import Client

from saas.core.errors import Throttled
from saas.documents.views.turns import turn
from tests.documents.conftest import Office
from tests.documents.test_pages import FORM


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("body", "行\n" * 99_000, "不能超过2000行"),
        ("body", "令" * 60_000, "每段不能超过5000字"),
        ("signatures", "局\n" * 600, "最多30行"),
        ("signatures", "局\n" * 20_000, "不能超过2000字"),
        ("attachments", "附件\n" * 600, "最多30行"),
        ("attachments", "附" * 5_000, "每行最多200字"),
    ],
    ids=["lines", "paragraph", "signatures", "many signatures", "attachments", "a name"],
)
def test_a_text_beyond_what_is_printed_is_refused_before_it_is_set(
    office: Office, as_user: Callable[..., Client], field: str, text: str, told: str
) -> None:
    desk = as_user(office.users["drafter"])
    answer = desk.post("/documents/preview/", FORM | {field: text})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    saved = desk.post("/documents/new/", FORM | {field: text})
    assert saved.status_code == 422


def test_of_several_previews_of_one_person_only_the_newest_waits_and_runs_next() -> None:
    inside, leave = threading.Event(), threading.Event()
    happened: list[str] = []

    def ask(name: str, hold: bool = False) -> None:
        try:
            with turn("one person"):
                happened.append(f"{name} runs")
                if hold:
                    inside.set()
                    leave.wait(30)
        except Throttled:
            happened.append(f"{name} overtaken")

    first = threading.Thread(target=ask, args=("first", True))
    first.start()
    assert inside.wait(30)
    second = threading.Thread(target=ask, args=("second",))
    second.start()
    third = threading.Thread(target=ask, args=("third",))
    while not _waiting(second):
        pass
    third.start()
    second.join(30)
    with turn("another person"):
        happened.append("another runs")
    leave.set()
    for thread in (first, third):
        thread.join(30)
    assert happened == ["first runs", "second overtaken", "another runs", "third runs"]


def _waiting(thread: threading.Thread) -> bool:
    """Whether a thread stands in the queue: it has taken its ticket, and runs nothing."""
    from saas.documents.views import turns

    with turns._changed:
        return thread.is_alive() and len(turns._recent.get("one person", ())) >= 2

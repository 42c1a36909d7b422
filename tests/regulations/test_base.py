"""The base of one bureau: loading, versions, pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from saas.core.actors import SYSTEM
from saas.core.audit.models import AuditRecord
from saas.core.tenancy import TenantRef
from saas.regulations import selectors
from saas.regulations.models import Article, Regulation
from saas.regulations.services import LoadReport, regulations_load
from saas.search.entries import EVERYONE
from saas.search.selectors import search
from tenants.context import use_tenant
from tests.organisation import makers
from tests.regulations.test_parsing import SAMPLE, line

pytestmark = pytest.mark.usefixtures("in_alpha")
LIST_BUDGET = 8


def load(*lines: str) -> LoadReport:
    return regulations_load(lines=lines, by=SYSTEM)


def first_article() -> str:
    """The text of the first article of the version in force."""
    return Article.objects.get(regulation__current=True, number=1).text


def test_a_file_is_loaded_with_its_wrong_lines_named_and_twice_changes_nothing() -> None:
    lines = [line(), "{", line(title=""), "", line(title="乙条例", text="第一条 甲。\n第二条 乙。")]
    report = load(*lines)
    assert (report.added, set(report.refused), report.loaded) == (2, {2, 3}, 2)
    assert [problem.field for problem in report.refused[3]] == ["title"]
    ids = set(Article.objects.values_list("id", flat=True))
    again = load(*lines)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)
    assert set(Article.objects.values_list("id", flat=True)) == ids
    assert AuditRecord.objects.filter(event="regulations.loaded").count() == 1


def test_a_corrected_text_keeps_the_ids_of_its_articles() -> None:
    load(line(text="第一条 甲。\n第二条 乙。"))
    before = dict(Article.objects.values_list("number", "id"))
    report = load(line(text="第一条 甲改。\n第二条 乙。\n第三条 丙。"))
    after = dict(Article.objects.values_list("number", "id"))
    assert report.updated == 1
    assert {n: after[n] for n in before} == before
    assert first_article() == "甲改。"
    assert search("甲改", [EVERYONE]).count == 1


def test_the_newest_version_is_current_whatever_the_order() -> None:
    new, old = ["2024年1月1日 修订"], ["2014年3月1日 施行"]
    load(line(history=new, text="第一条 新。"), line(history=old, text="第一条 旧。"))
    assert first_article() == "新。"
    assert list(Regulation.objects.filter(current=True).values_list("version_on__year", flat=True)) == [2024]
    newest = Regulation.objects.get(current=True)
    assert [v.version_on and v.version_on.year for v in selectors.versions(newest)] == [2024, 2014]


@pytest.fixture
def reader(as_user: Callable[..., Client], alpha: TenantRef) -> Iterator[Client]:
    client = as_user(makers.staff(post=makers.post(unit=makers.unit())))
    client.get("/directory/")  # the session notes once a while that it is in use
    with use_tenant(alpha):  # a request leaves its tenant
        yield client


def page_of(client: Client, path: str) -> tuple[int, str, int]:
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
    asked = [q for q in queries.captured_queries if "SAVEPOINT" not in q["sql"]]
    return response.status_code, response.content.decode(), len(asked)


def test_the_real_regulations_are_listed_found_and_read_by_article(reader: Client, alpha: TenantRef) -> None:
    report = load(*SAMPLE.read_text().splitlines())
    assert (report.refused, report.added) == ({}, 55)
    status, page, queries = page_of(reader, "/regulations/")
    assert (status, "总会计师条例" in page or "条例" in page, queries <= LIST_BUDGET) == (200, True, True), queries
    status, page, queries = page_of(reader, "/regulations/?q=重大行政决策程序")
    assert (status, "<mark>重大行政决策程序</mark>" in page, queries <= LIST_BUDGET) == (200, True, True), queries
    status, page, _ = page_of(reader, "/regulations/?q=印章 制发")
    assert "印章" in page
    with use_tenant(alpha):
        regulation = Regulation.objects.get(title="总会计师条例")
    status, page, _ = page_of(reader, f"/regulations/{regulation.id}/")
    assert status == 200
    assert 'id="a12"' in page
    assert 'href="#c2"' in page


@pytest.mark.parametrize("query", ["?q=" + "长" * 300, "?q=%00", "?q='%22%5C", "?after=-1", "?after=x", "?kind=x"])
def test_whatever_is_asked_is_answered(reader: Client, query: str) -> None:
    assert reader.get(f"/regulations/{query}").status_code in {200, 422}


def test_a_markup_in_a_text_is_shown_as_text(reader: Client) -> None:
    load(line(title="<script>alert(1)</script>", text="第一条 <img src=x onerror=alert(1)>"))
    regulation = Regulation.objects.get()
    page = reader.get(f"/regulations/{regulation.id}/").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_an_unknown_regulation_is_404(reader: Client) -> None:
    assert reader.get(f"/regulations/{UUID(int=1)}/").status_code == 404


def run(file: Path, tenant: str = "alpha") -> int:
    try:
        call_command("load_regulations", "--tenant", tenant, str(file))
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_the_command_exits_0_3_or_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text(line() + "\n")
    assert run(file) == 0
    file.write_text(line() + "\n{\n")
    assert run(file) == 3
    assert "第 2 行 / line 2: JSON" in capsys.readouterr().err
    file.write_text("{\n")
    assert run(file) == 1


def test_the_command_names_a_wrong_bureau_and_a_wrong_file(tmp_path: Path) -> None:
    from django.core.management.base import CommandError

    file = tmp_path / "r.jsonl"
    file.write_bytes(json.dumps({"title": "甲"}, ensure_ascii=False).encode("gb18030"))
    with pytest.raises(CommandError, match="UTF-8"):
        run(file)
    with pytest.raises(CommandError, match="no-such"):
        run(tmp_path / "r.jsonl", "no-such")
    with pytest.raises(CommandError):
        run(tmp_path / "none.jsonl")


def test_what_one_bureau_keeps_another_does_not_see(beta: TenantRef) -> None:
    load(line())
    with use_tenant(beta):
        assert not Article.objects.exists()
        assert search("甲条例", [EVERYONE]).count == 0

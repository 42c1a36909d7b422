"""Relevance on the real Chinese documents, and permission inside every answer."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from saas.core.errors import BadRequest
from saas.core.tenancy import TenantRef
from saas.search import kinds, services, words
from saas.search.entries import EVERYONE, SearchEntry
from saas.search.models import SearchRow
from saas.search.selectors import COUNT_CAP, EXACT_COUNT_CAP, search, suggest
from tenants.context import use_tenant
from tests.organisation import makers
from tests.search import corpus

pytestmark = pytest.mark.usefixtures("in_alpha")
ME, OTHERS = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def real() -> None:
    services.index_many([corpus.entry(document) for document in corpus.documents()])


def titles(query: str, **filters: Any) -> list[str]:
    page = search(query, [EVERYONE], limit=50, **filters)
    assert page.count == len(page.hits)
    return ["".join(segment.text for segment in hit.title) for hit in page.hits]


def add(title: str = "题目", body: str = "", *, groups: tuple[uuid.UUID, ...] = (EVERYONE,), **more: Any) -> uuid.UUID:
    object_id = uuid.uuid4()
    services.index(
        SearchEntry(kind="document", object_id=object_id, title=title, body=body, groups=frozenset(groups), **more)
    )
    return object_id


# --- relevance ---------------------------------------------------------------------------------------------------


def test_every_document_is_found_by_its_title_first(real: None) -> None:
    for document in corpus.documents():
        found = titles(str(document["title"])[:40])
        assert words.tidy(str(document["title"])) in found[:3]


def test_every_document_is_found_first_by_its_number_in_any_form(real: None) -> None:
    for document in corpus.documents():
        number = str(document["document_number"])
        if "〔" not in number:
            continue
        for form in (
            number,
            number.replace("〔", "[").replace("〕", "]"),
            number.replace("号", "").replace("〔", "（").replace("〕", "）"),
        ):
            assert titles(form)[0] == words.tidy(str(document["title"])), form


def test_an_incomplete_number_finds_all_that_fit(real: None) -> None:
    numbers = {str(document["document_number"]) for document in corpus.documents()}
    assert len(titles("国办发〔2018〕")) == sum(number.startswith("国办发〔2018〕") for number in numbers)


def test_words_anywhere_in_a_text_are_found(real: None) -> None:
    texts = {words.tidy(str(d["title"])): words.tidy(f"{d['title']}\n{corpus.body(d)}") for d in corpus.documents()}
    for query in ("绩效考核", "融资担保", "消费扶贫", "农业机械化", "财政部", "河北雄安新区"):
        holding = {title for title, text in texts.items() if query in text}
        assert holding
        assert holding <= set(titles(query)), query


@pytest.mark.parametrize("length", [2, 4, 7, 12])
def test_any_piece_of_any_text_is_found_as_an_exact_phrase(real: None, length: int) -> None:
    chance = random.Random(length)
    texts = {str(d["title"]): words.tidy(corpus.body(d)) for d in corpus.documents()}
    for _ in range(40):
        title = chance.choice(list(texts))
        start = chance.randrange(len(texts[title]) - length)
        phrase = texts[title][start : start + length]
        if '"' in phrase or "“" in phrase or "”" in phrase or "\n" in phrase or not words.phrase_words(phrase.strip()):
            continue
        if phrase.isascii():
            continue  # taken as a whole word
        assert words.tidy(title) in titles(f'"{phrase}"'), phrase


def test_all_words_must_be_there(real: None) -> None:
    both, one = titles("融资担保 小微企业"), titles("融资担保")
    assert set(both) <= set(one)
    assert titles("融资担保 量子纠缠") == []


def test_full_width_capitals_and_stray_spaces_do_not_matter() -> None:
    add("关于ＰＰＰ项目的通知", "国 务 院 同意 ＡＩ＋制造")
    for query in ("PPP", "ppp", "ｐｐｐ", "国务院", "ai"):
        assert len(titles(query)) == 1, query


def test_punctuation_of_a_phrase_may_be_half_width() -> None:
    add(body="各部门，要高度重视；认真落实。")
    assert len(titles('"各部门,要高度重视;认真"')) == 1


def test_names_and_organisations_are_found_in_part() -> None:
    add("甲", org="经济和信息化局", names=("欧阳娜娜",))
    for query in ("信息化局", "阳娜", "欧阳娜娜"):
        assert titles(query) == ["甲"]


def test_what_comes_first_is_number_then_title_then_the_newest() -> None:
    add("正文提到规划的旧文", "发展规划", date=date(2020, 1, 1))
    add("正文提到规划的新文", "发展规划", date=date(2024, 1, 1))
    add("发展规划", "别的", date=date(2010, 1, 1))
    assert titles("发展规划") == ["发展规划", "正文提到规划的新文", "正文提到规划的旧文"]


def test_filters_by_kind_and_by_day(real: None) -> None:
    add("通知甲", date=date(2024, 5, 1))
    assert titles("通知甲", kind="record") == []
    assert titles("通知甲", start=date(2024, 5, 1), end=date(2024, 5, 1)) == ["通知甲"]
    assert titles("通知甲", start=date(2024, 5, 2)) == []
    add("通知乙")  # without a date: in no period
    assert titles('"通知乙"') == ["通知乙"]
    assert titles('"通知乙"', end=date(2030, 1, 1)) == []


def test_pages_follow_one_another_without_gap_or_double(real: None) -> None:
    everything = titles("国务院")
    seen: list[str] = []
    after = ""
    while True:
        page = search("国务院", [EVERYONE], limit=7, after=after)
        seen += ["".join(s.text for s in hit.title) for hit in page.hits]
        after = page.next
        if not after:
            break
    assert seen == everything


@pytest.mark.parametrize("after", ["x", "1.2020-01-01", "1.2020-13-01.x", "1.2020-01-01.x"])
def test_a_forged_place_is_refused(real: None, after: str) -> None:
    with pytest.raises(BadRequest):
        search("国务院", [EVERYONE], after=after)


def test_a_place_beyond_every_tier_is_the_end(real: None) -> None:
    assert search("国务院", [EVERYONE], after=f"9.2020-01-01.{ME}").hits == ()


def test_the_count_is_capped() -> None:
    services.index_many(list(corpus.many(COUNT_CAP + 50, [frozenset({EVERYONE})], characters=30)))
    page = search("国务院", [EVERYONE])
    assert (page.count, page.capped, len(page.hits)) == (COUNT_CAP, True, 20)


def test_phrases_are_counted_to_a_limit_of_their_own_and_found_to_the_last() -> None:
    entries = list(corpus.many(EXACT_COUNT_CAP + 30, [frozenset({EVERYONE})], characters=30))
    services.index_many([replace(entry, body=f"{entry.body}此处逐字比较。") for entry in entries])
    page = search('"逐字比较"', [EVERYONE])
    assert (page.count, page.capped) == (EXACT_COUNT_CAP, True)
    found = {hit.object_id for hit in page.hits}
    while page.next:
        page = search('"逐字比较"', [EVERYONE], after=page.next, limit=100)
        assert found.isdisjoint(hit.object_id for hit in page.hits)
        found |= {hit.object_id for hit in page.hits}
    assert found == {entry.object_id for entry in entries}


def test_a_very_long_text_is_found_to_its_end_and_counts_once() -> None:
    filler = "".join(chr(0x4E00 + n * 7 % 9000) for n in range(130_000))
    object_id = add("长文", f"{filler}结尾的独特词语")
    assert SearchRow.objects.filter(object_id=object_id).count() == 3
    page = search('"结尾的独特词语"', [EVERYONE])
    assert (page.count, [hit.object_id for hit in page.hits]) == (1, [object_id])
    services.index(SearchEntry(kind="document", object_id=object_id, title="短了", groups=frozenset({EVERYONE})))
    assert SearchRow.objects.filter(object_id=object_id).count() == 1


# --- hostile input -----------------------------------------------------------------------------------------------


HOSTILE = [
    *("NOT 机密", "!机密", "-机密", "机密 | 公开", "机密 & !公开", "机密:*", "(机密", "'机密", "机密\\", "' OR 1=1 --"),
    *('"', '"机密', '""', "%", "_", "null", "NULL", "\x00机密", "\ud800", "<->", "机密 <-> 公开", "{}", "𠀀"),
    *("〔〕", "〔2004〕号"),
]


@pytest.mark.parametrize("query", HOSTILE)
def test_nothing_typed_is_an_operator_or_an_error(query: str) -> None:
    secret = add("机密材料", "机密的内容", groups=(OTHERS,))
    add("公开材料", "公开的内容")
    page = search(query, [EVERYONE])
    assert secret not in {hit.object_id for hit in page.hits}
    assert all("机密" not in segment.text for hit in page.hits for segment in (*hit.title, *hit.excerpt))
    assert secret not in {hit.object_id for hit in search(query, [EVERYONE, ME]).hits}


# --- permission --------------------------------------------------------------------------------------------------


def test_a_row_without_a_permitted_group_is_in_no_list_count_or_suggestion() -> None:
    shown = add("会议纪要一", "研究干部任免", groups=(ME,), number="府办〔2024〕1号")
    add("会议纪要二", "研究干部任免", groups=(OTHERS,), number="府办〔2024〕2号")
    add("会议纪要三", "研究干部任免", groups=())
    for query in ("会议纪要", "干部任免", '"研究干部"', "府办〔2024〕"):
        page = search(query, [ME])
        assert ([hit.object_id for hit in page.hits], page.count) == ([shown], 1), query
    assert search("府办〔2024〕2号", [ME]).count == 0
    assert suggest("会议", [ME]) == ["会议纪要一"]
    assert search("会议纪要", []).count == 0
    assert suggest("会议", []) == []


def test_rights_follow_at_once_when_groups_change() -> None:
    object_id = add("传阅件", "内容", groups=(OTHERS,))
    for groups, found in (({ME, OTHERS}, 1), ({OTHERS}, 0)):
        services.index(
            SearchEntry(kind="document", object_id=object_id, title="传阅件", body="内容", groups=frozenset(groups))
        )
        assert set(SearchRow.objects.get(object_id=object_id).groups) == groups
        assert search("传阅件", [ME]).count == found
    services.remove(object_id)
    assert search("传阅件", [OTHERS]).count == 0


def test_a_random_reader_finds_exactly_what_is_theirs() -> None:
    chance = random.Random(7)
    groups = [uuid.UUID(int=n) for n in range(10, 16)]
    entries = list(corpus.many(120, [frozenset({g}) for g in groups], characters=80))
    entries = [
        replace(e, groups=frozenset(chance.sample(groups, chance.randrange(3))), title=f"共同词 {e.title}")
        for e in entries
    ]
    services.index_many(entries)
    for _ in range(12):
        mine = set(chance.sample(groups, chance.randrange(1, 4)))
        page = search("共同词", mine, limit=200)
        assert {hit.object_id for hit in page.hits} == {e.object_id for e in entries if e.groups & mine}
        assert page.count == len(page.hits)


def test_another_bureau_finds_nothing_of_this_one(beta: TenantRef) -> None:
    add("金丝雀")
    with use_tenant(beta):
        assert search("金丝雀", [EVERYONE]).count == 0


# --- writing -----------------------------------------------------------------------------------------------------


def test_a_row_is_written_with_one_statement_and_goes_with_its_transaction(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        object_id = add("甲", "乙")
    with django_assert_num_queries(1):
        services.remove(object_id)

    @transaction.atomic
    def failing() -> None:
        add("回滚的")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert search("回滚的", [EVERYONE]).count == 0


def test_a_search_is_one_statement(real: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        search("国务院 工作规则", [EVERYONE])


def test_rows_of_an_older_dictionary_are_cut_again(monkeypatch: pytest.MonkeyPatch, real: None) -> None:
    before = titles("融资担保")
    SearchRow.objects.update(dictionary=0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE search_searchrow SET body_words = array_to_tsvector('{}'::text[])")
    assert titles('"融资担保行业"') == []
    assert services.rebuild_outdated(batch=30) == 30
    assert services.rebuild_outdated(batch=30) == 10
    assert services.rebuild_outdated(batch=30) == 0
    assert titles("融资担保") == before


# --- the page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def reader(as_user: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, alpha: TenantRef) -> Iterator[Client]:
    monkeypatch.setattr(
        kinds, "_KINDS", {"document": kinds.Kind("document", "公文", lambda object_id: f"/d/{object_id}/")}
    )
    client = as_user(makers.staff(post=makers.post(unit=makers.unit())))
    client.get("/directory/")  # the session notes once a while that it is in use
    with use_tenant(alpha):  # a request leaves its tenant
        yield client


def test_the_page_shows_marked_results_within_its_budget(real: None, reader: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = reader.get("/search/", {"q": "融资担保"})
    page = response.content.decode()
    asked = [q for q in queries.captured_queries if "SAVEPOINT" not in q["sql"]]
    assert (response.status_code, len(asked) <= 8) == (200, True), len(asked)
    assert "<mark>融资担保</mark>" in page
    assert 'href="/d/' in page


def test_a_wrong_search_keeps_what_was_typed_and_says_why(reader: Client) -> None:
    response = reader.get("/search/", {"q": "长" * 10_000})
    assert response.status_code == 422
    assert "检索词过长" in response.content.decode()
    response = reader.get("/search/", {"q": "甲", "start": "昨天"})
    assert (response.status_code, 'value="昨天"' in response.content.decode()) == (422, True)
    assert reader.get("/search/", {"q": "甲", "after": "x"}).status_code == 400


def test_markup_in_a_result_is_shown_as_text(reader: Client) -> None:
    add("<script>alert(1)</script>标题", "正文<img src=x>")
    page = reader.get("/search/", {"q": "标题"}).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_suggestions_are_titles_as_json(real: None, reader: Client) -> None:
    answer = reader.get("/search/suggest/", {"q": "工作规则"}).json()
    assert answer == {"titles": ["国务院关于印发《国务院工作规则》的通知"]}

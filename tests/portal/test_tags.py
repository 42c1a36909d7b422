"""What the small parts of the interface write."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from saas.portal.templatetags import portal

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, a Monday


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        (timedelta(seconds=20), "刚刚"),
        (timedelta(minutes=8), "8 分钟前"),
        (timedelta(hours=1, minutes=5), "今天 08:55"),
        (timedelta(hours=17, minutes=40), "昨天 16:20"),
        (timedelta(days=3), "11-20"),
        (timedelta(days=400), "2025-10-19"),
    ],
)
def test_time_is_said_as_an_office_says_it(earlier: timedelta, text: str) -> None:
    assert portal.relative(NOW - earlier, now=NOW) == text


def test_relative_time_is_english_for_an_english_reader() -> None:
    with translation.override("en"):
        assert portal.relative(NOW - timedelta(minutes=1), now=NOW) == "1 minute ago"
        assert portal.relative(NOW - timedelta(minutes=8), now=NOW) == "8 minutes ago"


def test_relative_time_carries_the_absolute_one() -> None:
    html = portal.ago(datetime(2025, 1, 2, 1, 5, tzinfo=UTC))
    assert 'title="2025-01-02 09:05 周四"' in html
    assert 'datetime="2025-01-02T09:05:00+08:00"' in html


def test_a_deadline_over_is_red_and_says_by_how_many_working_days() -> None:
    html = portal.deadline(timezone.localdate() - timedelta(days=5), -3)
    assert 'class="due over"' in html
    assert "已超期 3 个工作日" in html


def test_a_deadline_far_away_has_no_colour() -> None:
    html = portal.deadline(timezone.localdate() + timedelta(days=9), 7)
    assert 'class="due "' in html
    assert "剩 7 个工作日" in html


def test_a_deadline_within_two_working_days_is_amber() -> None:
    assert 'class="due warn"' in portal.deadline(timezone.localdate() + timedelta(days=2), 2)


def test_no_time_draws_nothing() -> None:
    assert portal.ago(None) == portal.moment(None) == portal.deadline(None) == ""


def test_a_date_is_shown_without_a_time() -> None:
    assert ">2026-11-23<" in portal.moment(date(2026, 11, 23))


def test_urgency_names_only_the_three_grades_of_the_standard() -> None:
    assert portal.urgency("特急") == '<span class="tag te">特急</span>'
    assert portal.urgency("一般") == portal.urgency("") == portal.urgency(None) == ""


def test_a_number_has_six_corner_brackets_and_is_escaped() -> None:
    assert portal.number("云数发[2026]38号") == '<span class="docno">云数发〔2026〕38号</span>'
    assert "<b>" not in portal.number("<b>")


@pytest.mark.parametrize(
    ("size", "text"), [(None, ""), (0, "0 B"), (640, "640 B"), (12_595, "12.3 KB"), (4_718_592, "4.5 MB")]
)
def test_sizes_are_read_by_people(size: int | None, text: str) -> None:
    assert portal.file_size(size) == text


def test_percent_says_a_hundred_only_when_all_is_done() -> None:
    assert [portal.percent(999, 1000), portal.percent(1000, 1000), portal.percent(0, 0)] == [99, 100, 0]


def test_query_changes_one_value_and_drops_empty_ones() -> None:
    request = RequestFactory().get("/x/?tab=all&after=9&q=%E4%BA%91")
    html = Template('{% load portal %}{% query tab="mine" after="" %}').render(Context({"request": request}))
    assert html == "?q=%E4%BA%91&amp;tab=mine"


def test_a_gauge_is_never_fuller_than_full() -> None:
    assert 'width="100.0"' in portal.gauge(900, 250, "数据库", "bad")
    assert 'width="0.0"' in portal.gauge(5, 0, "数据库")


def test_an_icon_is_hidden_unless_it_speaks() -> None:
    assert 'aria-hidden="true"' in portal.icon("inbox")
    assert 'aria-label="收藏"' in portal.icon("star", "收藏")

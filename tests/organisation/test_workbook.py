"""The workbook: every wrong row is named, nothing is half-imported, twice changes nothing, out and in is the same."""

from __future__ import annotations

import hashlib
import io
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from saas.accounts.models import User
from saas.core.actors import SYSTEM
from saas.core.audit.models import AuditRecord
from saas.organisation import changes
from saas.organisation.models import Appointment, Person, Post, PostKind, Unit, today
from saas.organisation.workbook.applying import import_contents
from saas.organisation.workbook.layout import Problem
from saas.organisation.workbook.plan import Plan, make_plan
from saas.organisation.workbook.reading import read
from saas.organisation.workbook.writing import empty_workbook, export_workbook
from tests.organisation import books, makers

pytestmark = pytest.mark.usefixtures("in_alpha")


def bring_in(content: bytes) -> Plan:
    sha256 = hashlib.sha256(content).hexdigest()
    return import_contents(
        read(io.BytesIO(content)), by=SYSTEM, file_name="机构.xlsx", sha256=sha256, tick=lambda: None
    )


def wrong(content: bytes) -> list[tuple[str, int, str]]:
    """Where the dry run sees something wrong; that it writes nothing is checked too."""
    before = state()
    plan = bring_in(content)
    assert plan.problems
    assert state() == before
    return [(problem.sheet, problem.row, problem.column) for problem in plan.problems]


def state() -> dict[str, object]:
    """All there is, by the keys people know."""
    codes: dict[UUID | None, str] = dict(Unit.objects.values_list("id", "code"))
    posts: dict[UUID | None, tuple[str, str]] = {
        post.id: (codes[post.unit_id], post.name) for post in Post.objects.all()
    }
    numbers = dict(Person.objects.values_list("id", "staff_number"))
    logins: dict[UUID | None, str] = dict(User.objects.values_list("id", "username"))
    return {
        "units": {
            u.code: (
                u.name,
                u.short_name,
                codes.get(u.parent_id),
                u.position,
                u.active,
                posts.get(u.in_charge_post_id),
            )
            for u in Unit.objects.all()
        },
        "posts": {posts[p.id]: (p.kind, p.position, p.active) for p in Post.objects.all()},
        "people": {
            p.staff_number: (p.name, logins.get(p.user_id), p.mobile, p.email, p.rank, p.active, p.initials)
            for p in Person.objects.all()
        },
        "appointments": {
            (numbers[a.person_id], posts[a.post_id], a.starts): (a.ends, a.acting, a.primary)
            for a in Appointment.objects.all()
        },
    }


def empty() -> None:
    Appointment.objects.all().delete()
    Person.objects.all().delete()
    Unit.objects.update(in_charge_post=None, parent=None)
    Post.objects.all().delete()
    Unit.objects.all().delete()


def test_a_workbook_becomes_units_posts_people_and_appointments() -> None:
    plan = bring_in(books.whole())
    assert plan.problems == []
    assert state() == {
        "units": {
            "BGS": ("办公室", "办", None, 1, True, ("BGS", "主任")),
            "MSK": ("秘书科", "", "BGS", 2, True, None),
        },
        "posts": {("BGS", "主任"): ("leader", 1, True), ("MSK", "科长"): ("leader", 1, True)},
        "people": {
            "1001": ("李建国", None, "13800000000", "", 1, True, "ljg"),
            "1002": ("王敏", None, "", "w@example.cn", 2, True, "wm"),
        },
        "appointments": {
            ("1001", ("BGS", "主任"), date(2020, 1, 1)): (None, False, True),
            ("1002", ("MSK", "科长"), date(2021, 3, 1)): (None, False, True),
            ("1001", ("MSK", "科长"), date(2019, 1, 1)): (date(2020, 12, 31), True, False),
        },
    }
    assert AuditRecord.objects.filter(event="organisation.workbook_imported").count() == 1


def test_importing_twice_changes_nothing() -> None:
    bring_in(books.whole())
    ids = set(Unit.objects.values_list("id", flat=True)) | set(Appointment.objects.values_list("id", flat=True))
    before = state()
    plan = bring_in(books.whole())
    assert plan.empty
    assert {name: (c.added, c.changed) for name, c in plan.counts.items()} == dict.fromkeys(plan.counts, (0, 0))
    assert state() == before
    assert ids == set(Unit.objects.values_list("id", flat=True)) | set(Appointment.objects.values_list("id", flat=True))


def test_accounts_are_made_without_a_usable_password_and_linked_once() -> None:
    people = [["1001", "李建国", "LiJG"], ["1002", "王敏", "wangmin"]]
    existing = makers.user("王敏")
    User.objects.filter(id=existing.id).update(username="wangmin")
    plan = bring_in(books.book(people=people))
    assert (plan.problems, set(plan.accounts)) == ([], {"lijg"})
    made = User.objects.get(username="lijg")
    assert (made.has_usable_password(), made.must_change_password, made.name) == (False, True, "李建国")
    assert Person.objects.get(staff_number="1002").user_id == existing.id
    assert bring_in(books.book(people=people)).empty


def test_a_login_name_of_somebody_else_or_of_an_administrator_is_refused() -> None:
    makers.person("张三", user=(taken := makers.user()))
    admin = makers.system_admin()
    people = [
        ["1", "甲", taken.username],
        ["2", "乙", admin.username],
        ["3", "丙", "x y"],
        ["4", "丁", "a1"],
        ["5", "戊", "a1"],
    ]
    assert wrong(books.book(people=people)) == [("人员", row, "登录名") for row in (2, 3, 4, 6)]


@pytest.mark.parametrize(
    ("sheets", "places"),
    [
        ({"units": [["", "无编码"]]}, [("部门", 2, "部门编码")]),
        ({"units": [["A", ""]]}, [("部门", 2, "部门名称")]),
        ({"units": [["A", "甲"], ["A", "乙"]]}, [("部门", 3, "部门编码")]),
        ({"units": [["A", "甲", "", "无此"]]}, [("部门", 2, "上级部门编码")]),
        (
            {"units": [["A", "甲", "", "B"], ["B", "乙", "", "A"], ["C", "丙", "", "A"]]},
            [("部门", 2, "上级部门编码"), ("部门", 3, "上级部门编码")],
        ),
        ({"units": [["A", "甲", "", "A"]]}, [("部门", 2, "上级部门编码")]),
        ({"units": [["A", "甲", "", "", "-1"]]}, [("部门", 2, "排序")]),
        ({"units": [["A", "甲", "", "", 1.5]]}, [("部门", 2, "排序")]),
        ({"units": [["A", "甲", "", "", 1, "A", "无此岗位"]]}, [("部门", 2, "分管岗位名称")]),
        ({"units": [["A", "甲", "", "", 1, "", "", "也许"]]}, [("部门", 2, "启用")]),
        ({"units": [["A", "甲", "", "", 1, "", "", "否"], ["B", "乙", "", "A"]]}, [("部门", 3, "上级部门编码")]),
        ({"posts": [["无此", "科长", "副职"]]}, [("岗位", 2, "部门编码")]),
        ({"units": [["A", "甲"]], "posts": [["A", "科长", "科长"]]}, [("岗位", 2, "类别")]),
        (
            {"units": [["A", "甲"]], "posts": [["A", "科长", "副职"], ["A", "科长", "副职"]]},
            [("岗位", 3, "岗位名称")],
        ),
        ({"people": [["1", "甲"], ["1", "乙"]]}, [("人员", 3, "工号")]),
        ({"people": [["1", "甲", "", "电话", "不是邮箱"]]}, [("人员", 2, "手机"), ("人员", 2, "邮箱")]),
        ({"people": [["1", "长" * 61]]}, [("人员", 2, "姓名")]),
        ({"appointments": [["9", "A", "科长", "2020-01-01"]]}, [("任职", 2, "工号"), ("任职", 2, "岗位名称")]),
    ],
)
def test_every_wrong_row_is_named_by_sheet_row_and_column(
    sheets: dict[str, list[list[object]]], places: list[tuple[str, int, str]]
) -> None:
    assert wrong(books.book(**sheets)) == places


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (["1001", "BGS", "主任", "2020-02-30"], "开始日期"),
        (["1001", "BGS", "主任", "去年"], "开始日期"),
        (["1001", "BGS", "主任", ""], "开始日期"),
        (["1001", "BGS", "主任", date(1900, 1, 1)], "开始日期"),
        (["1001", "BGS", "主任", 43831], "开始日期"),
        (["1002", "BGS", "主任", "2020-01-01", "2019-12-31"], "结束日期"),
        (["1001", "BGS", "主任", "2021-01-01", "", "是否"], "代理"),
        (["1001", "BGS", "主任", "2021-01-01"], "开始日期"),  # overlaps the open one of 2020
        (["1001", "BGS", "主任", "2020-01-01"], "开始日期"),  # the same row again
        (["1001", "MSK", "科长", "2021-01-01", "", "", "是"], "主职"),  # a second primary one
    ],
)
def test_a_wrong_appointment_is_named_and_none_of_the_workbook_is_imported(row: list[object], column: str) -> None:
    content = books.book(books.UNITS, books.POSTS, books.PEOPLE, [*books.APPOINTMENTS, row])
    assert wrong(content) == [("任职", 5, column)]
    assert not Unit.objects.exists()


def test_taking_out_of_use_what_is_held_is_named_where_the_workbook_says_it() -> None:
    bring_in(books.whole())
    people = [["1001", "李建国", "", "", "", 1, "否"]]
    assert wrong(books.book(people=people)) == [("人员", 2, "启用")]
    assert wrong(books.book(posts=[["BGS", "主任", "主要负责人", 1, "否"]])) == [("岗位", 2, "启用")]
    assert ("部门", 2, "启用") in wrong(books.book(units=[["BGS", "办公室", "", "", 1, "", "", "否"]]))


def test_many_wrong_rows_are_all_named() -> None:
    people = [[f"坏{n}", ""] for n in range(300)]
    assert len(wrong(books.book(people=people))) == 600


def test_sheets_and_columns_are_checked_before_rows() -> None:
    assert wrong(books.pages({"其他": [["a"]]})) == [("", 0, "")]
    assert wrong(books.pages({"人员": []})) == [("人员", 0, "")]
    assert wrong(books.pages({"人员": [["工号", "年龄"], ["1", 3]]})) == [("人员", 1, "年龄"), ("人员", 1, "姓名")]
    assert wrong(books.pages({"人员": [["工号", "姓名", "姓名"]]})) == [("人员", 1, "姓名")]


def test_formulas_and_errors_are_refused_but_a_text_that_looks_like_one_survives() -> None:
    assert wrong(books.book(people=[["1", books.Formula("=1+1")]])) == [("人员", 2, "姓名")]
    assert wrong(books.book(people=[["1", "#N/A"]])) == [("人员", 2, "姓名")]
    makers.person('=HYPERLINK("x")')
    before = state()
    assert bring_in(export_workbook(by=SYSTEM)).empty
    assert state() == before


def test_the_empty_workbook_imports_as_nothing() -> None:
    plan = bring_in(empty_workbook())
    assert (plan.problems, plan.empty) == ([], True)


def test_a_dry_run_writes_nothing() -> None:
    plan = make_plan(read(io.BytesIO(books.whole())))
    assert plan.problems == []
    assert plan.counts["人员"].added == 2
    assert not Person.objects.exists()


def test_an_import_speaks_once_to_who_follows_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[changes.Change] = []
    monkeypatch.setattr(changes, "_listeners", [heard.append])
    bring_in(books.whole())
    assert len(heard) == 1
    assert heard[0].posts == set(Post.objects.values_list("id", flat=True))


def test_the_number_of_statements_does_not_grow_with_the_rows(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    posts = [["A", f"岗位{n}", "工作人员", n] for n in range(50)]
    people = [[f"{n}", f"张{n}", f"zhang{n}"] for n in range(400)]
    appointments = [[f"{n}", "A", f"岗位{n % 50}", "2020-01-01"] for n in range(400)]
    content = books.book([["A", "甲"]], posts, people, appointments)
    with django_assert_max_num_queries(25):
        assert bring_in(content).problems == []
    assert Appointment.objects.count() == 400


WORDS = st.text(alphabet="甲乙丙丁科处办综合=+-@ 'A1", min_size=1, max_size=8).filter(lambda s: s.strip())
DAYS = st.dates(date(2015, 1, 1), date(2030, 1, 1))


@st.composite
def organisations(draw: st.DrawFn) -> dict[str, list[list[object]]]:
    """An organisation that keeps the rules, as rows of a workbook."""
    count = draw(st.integers(1, 5))
    units = [
        [
            f"U{n}",
            draw(WORDS),
            draw(st.sampled_from(["", "短"])),
            f"U{draw(st.integers(0, n - 1))}" if n else "",
            draw(st.integers(0, 50)),
        ]
        for n in range(count)
    ]
    posts = [
        [
            f"U{n % count}",
            f"岗{n}",
            draw(st.sampled_from(["主要负责人", "分管领导", "副职", "文书", "工作人员"])),
            draw(st.integers(0, 9)),
        ]
        for n in range(draw(st.integers(1, 6)))
    ]
    if draw(st.booleans()):
        units[0] += [posts[0][0], posts[0][1]]
    people = [[f"P{n}", draw(WORDS), "", "", "", draw(st.integers(0, 99))] for n in range(draw(st.integers(1, 5)))]
    appointments = []
    for person in people:
        for place, post in enumerate(draw(st.lists(st.sampled_from(posts), max_size=3, unique_by=lambda p: p[1]))):
            starts = draw(DAYS)
            days = draw(st.none() | st.integers(0, 4000))
            ends = None if days is None else starts + timedelta(days=days)
            primary = "是" if place == 0 and draw(st.booleans()) else ""
            acting = draw(st.sampled_from(["是", "否", ""]))
            appointments.append([person[0], post[0], post[1], starts, ends, acting, primary])
    return {"units": units, "posts": posts, "people": people, "appointments": appointments}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=organisations())
def test_what_is_exported_imports_to_the_same_state(rows: dict[str, list[list[object]]]) -> None:
    empty()
    assert bring_in(books.book(**rows)).problems == []
    before = state()
    exported = export_workbook(by=SYSTEM)
    assert bring_in(exported).empty
    empty()
    assert bring_in(exported).problems == []
    assert state() == before


def test_kinds_of_posts_all_have_a_name_in_the_workbook() -> None:
    from saas.organisation.workbook.layout import POST_KINDS

    assert set(POST_KINDS.values()) == set(PostKind.values)
    assert Problem("人员", 2, "姓名", "x").row == 2
    assert today() >= date(2026, 1, 1)

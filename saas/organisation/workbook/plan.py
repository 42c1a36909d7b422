"""Checks a workbook against the organisation as it stands: what would change, and every row that is wrong."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from saas.accounts.models import User
from saas.accounts.names import clean_username
from saas.core.errors import Invalid
from saas.organisation.initials import initials
from saas.organisation.models import Appointment, Person, Post, Unit, today
from saas.organisation.rules import Checked
from saas.organisation.workbook.layout import NO, POST_KINDS, YES, Problem, Sheet
from saas.organisation.workbook.reading import Contents, Row

PostKey = tuple[str, str]  # unit code, post name
_YES_NO = {YES: YES, NO: NO}


@dataclass(slots=True)
class Changes:
    """The rows of one table that the import would write."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class Plan:
    """Everything an import would do. `problems` not empty means it does nothing."""

    problems: list[Problem] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    accounts: dict[str, Person] = field(default_factory=dict)
    no_longer_primary: list[UUID] = field(default_factory=list)
    counts: dict[str, Changes] = field(default_factory=lambda: {sheet.title: Changes() for sheet in Sheet})

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not (
            self.units or self.posts or self.people or self.appointments or self.accounts or self.no_longer_primary
        )


class State:
    """The organisation as it stands, by the keys the workbook uses. Five queries."""

    def __init__(self) -> None:
        self.units = {unit.code: unit for unit in Unit.objects.all()}
        codes = {unit.id: unit.code for unit in self.units.values()}
        self.posts: dict[PostKey, Post] = {(codes[post.unit_id], post.name): post for post in Post.objects.all()}
        self.people = {person.staff_number: person for person in Person.objects.all()}
        self.appointments = {(a.person_id, a.post_id, a.starts): a for a in Appointment.objects.all()}
        users = User.objects.values_list("username", "id", "administrator")
        self.users = {username: (user_id, administrator) for username, user_id, administrator in users}
        self.usernames = {user_id: username for username, (user_id, _a) in self.users.items()}


def make_plan(contents: Contents, *, tick: Callable[[], None] = lambda: None) -> Plan:
    """Check every row; nothing is written.

    Args:
        contents: what was read.
        tick: called after each row.
    """
    planner = _Planner(State(), tick)
    planner.plan.problems += contents.problems
    planner.units(contents.rows.get(Sheet.UNITS, []))
    planner.posts(contents.rows.get(Sheet.POSTS, []))
    planner.in_charge(contents.rows.get(Sheet.UNITS, []))
    planner.people(contents.rows.get(Sheet.PEOPLE, []))
    planner.appointments(contents.rows.get(Sheet.APPOINTMENTS, []))
    planner.whole()
    order = {sheet.title: place for place, sheet in enumerate(Sheet)}
    first: dict[tuple[str, int, str], Problem] = {}
    for problem in planner.plan.problems:
        first.setdefault((problem.sheet, problem.row, problem.column), problem)
    planner.plan.problems = sorted(first.values(), key=lambda p: (order.get(p.sheet, -1), p.row))
    return planner.plan


class _Planner:
    """Goes through the sheets in order; what an earlier sheet brings, a later one may name."""

    def __init__(self, state: State, tick: Callable[[], None]) -> None:
        self.state = state
        self.plan = Plan()
        self._tick = tick
        self._rows: dict[UUID, tuple[Sheet, int]] = {}
        self._touched_units: dict[UUID, Unit] = {}
        self._before: dict[UUID, tuple[object, ...]] = {}

    def units(self, rows: list[Row]) -> None:
        parents: dict[str, tuple[str, int]] = {}
        seen: dict[str, int] = {}
        for row in rows:
            self._tick()
            checked = Checked()
            code = checked.code("部门编码", row.text("部门编码"))
            if code in seen:
                checked.refuse("部门编码", _("与第 %(row)d 行重复") % {"row": seen[code]})
            name = checked.text("部门名称", row.text("部门名称"), most=100)
            short_name = checked.optional_text("简称", row.text("简称"), most=40)
            position = checked.position("排序", row.text("排序"))
            active = _flag(checked, row, "启用", empty=True)
            parent = row.text("上级部门编码")
            if self._wrong(Sheet.UNITS, row, checked):
                continue
            seen[code] = row.number
            parents[code] = (parent, row.number)
            unit = self.state.units.get(code)
            if unit is None:
                unit = Unit(id=uuid.uuid4(), code=code)
                self.state.units[code] = unit
            else:
                self._before[unit.id] = _unit_values(unit)
            unit.name, unit.short_name, unit.position, unit.active = name, short_name, position, active
            self._touched_units[unit.id] = unit
            self._rows[unit.id] = (Sheet.UNITS, row.number)
        self._parents(parents)

    def _parents(self, parents: dict[str, tuple[str, int]]) -> None:
        by_id = {unit.id: unit for unit in self.state.units.values()}
        for code, (parent_code, number) in parents.items():
            parent = self.state.units.get(parent_code) if parent_code else None
            if parent_code and parent is None:
                self._problem(
                    Sheet.UNITS, number, "上级部门编码", _("没有编码为 %(code)s 的部门") % {"code": parent_code}
                )
                continue
            self.state.units[code].parent_id = parent.id if parent else None
        for code, (_parent, number) in parents.items():
            unit: Unit | None = self.state.units[code]
            passed: set[UUID] = set()
            while unit is not None and unit.id not in passed:
                passed.add(unit.id)
                unit = by_id.get(unit.parent_id) if unit.parent_id else None
            if unit is not None and unit.code == code:
                self._problem(Sheet.UNITS, number, "上级部门编码", _("上下级关系成环"))

    def posts(self, rows: list[Row]) -> None:
        seen: dict[PostKey, int] = {}
        for row in rows:
            self._tick()
            checked = Checked()
            code = row.text("部门编码")
            unit = self.state.units.get(code)
            if unit is None:
                checked.refuse("部门编码", _("没有编码为 %(code)s 的部门") % {"code": code} if code else _("不能为空"))
            name = checked.text("岗位名称", row.text("岗位名称"), most=60)
            kind = checked.choice("类别", row.text("类别"), POST_KINDS)
            position = checked.position("排序", row.text("排序"))
            active = _flag(checked, row, "启用", empty=True)
            if (code, name) in seen:
                checked.refuse("岗位名称", _("与第 %(row)d 行重复") % {"row": seen[code, name]})
            if self._wrong(Sheet.POSTS, row, checked) or unit is None:
                continue
            seen[code, name] = row.number
            post = self.state.posts.get((code, name))
            values = (kind, position, active)
            if post is None:
                post = Post(id=uuid.uuid4(), unit_id=unit.id, name=name)
                self.state.posts[code, name] = post
                self._count(Sheet.POSTS, "added")
            elif (post.kind, post.position, post.active) == values:
                self._count(Sheet.POSTS, "unchanged")
                self._rows[post.id] = (Sheet.POSTS, row.number)
                continue
            else:
                self._count(Sheet.POSTS, "changed")
            post.kind, post.position, post.active = values
            self._rows[post.id] = (Sheet.POSTS, row.number)
            self.plan.posts.append(post)

    def in_charge(self, rows: list[Row]) -> None:
        for row in rows:
            unit = self.state.units.get(row.text("部门编码"))
            if unit is None or unit.id not in self._touched_units:
                continue
            key = (row.text("分管岗位部门编码"), row.text("分管岗位名称"))
            post = self.state.posts.get(key)
            if any(key) and post is None:
                self._problem(
                    Sheet.UNITS,
                    row.number,
                    "分管岗位名称",
                    _("没有岗位 %(unit)s %(post)s") % {"unit": key[0], "post": key[1]},
                )
                continue
            unit.in_charge_post_id = post.id if post else None
            before = self._before.get(unit.id)
            if before == _unit_values(unit):
                self._count(Sheet.UNITS, "unchanged")
                continue
            self._count(Sheet.UNITS, "added" if before is None else "changed")
            self.plan.units.append(unit)

    def people(self, rows: list[Row]) -> None:
        seen: dict[str, int] = {}
        logins: dict[str, int] = {}
        linked = {person.user_id: person for person in self.state.people.values() if person.user_id}
        for row in rows:
            self._tick()
            checked = Checked()
            number = checked.code("工号", row.text("工号"))
            if number in seen:
                checked.refuse("工号", _("与第 %(row)d 行重复") % {"row": seen[number]})
            name = checked.text("姓名", row.text("姓名"), most=60)
            login = _login(checked, row.text("登录名"))
            mobile = checked.mobile("手机", row.text("手机"))
            email = checked.email("邮箱", row.text("邮箱"))
            rank = checked.position("排序", row.text("排序"))
            active = _flag(checked, row, "启用", empty=True)
            person = self.state.people.get(number)
            user_id = self._account(checked, login, logins, person, linked)
            if self._wrong(Sheet.PEOPLE, row, checked):
                continue
            seen[number] = row.number
            if login:
                logins[login] = row.number
            values = (name, initials(name)[:60], mobile, email, rank, active, user_id)
            if person is None:
                person = Person(id=uuid.uuid4(), staff_number=number)
                self.state.people[number] = person
                self._count(Sheet.PEOPLE, "added")
            elif _person_values(person) == values and not (login and user_id is None):
                self._count(Sheet.PEOPLE, "unchanged")
                self._rows[person.id] = (Sheet.PEOPLE, row.number)
                continue
            else:
                self._count(Sheet.PEOPLE, "changed")
            person.name, person.initials, person.mobile, person.email, person.rank, person.active, person.user_id = (
                values
            )
            self._rows[person.id] = (Sheet.PEOPLE, row.number)
            self.plan.people.append(person)
            if login and user_id is None:
                self.plan.accounts[login] = person

    def _account(
        self,
        checked: Checked,
        login: str,
        logins: dict[str, int],
        person: Person | None,
        linked: dict[UUID, Person],
    ) -> UUID | None:
        """The account the row names: an existing one, or None when there is none yet or none is named."""
        mine = person.user_id if person else None
        if not login:
            return mine
        if login in logins:
            checked.refuse("登录名", _("与第 %(row)d 行重复") % {"row": logins[login]})
        if mine is not None and self.state.usernames.get(mine) != login:
            checked.refuse("登录名", _("此人已有账号 %(name)s") % {"name": self.state.usernames.get(mine, "")})
        user_id, administrator = self.state.users.get(login, (None, False))
        if user_id is None:
            return None
        owner = linked.get(user_id)
        if administrator or (owner is not None and owner is not person):
            checked.refuse("登录名", _("此登录名已被使用"))
        return user_id

    def appointments(self, rows: list[Row]) -> None:
        seen: dict[tuple[UUID, UUID, date], int] = {}
        primary: dict[UUID, int] = {}
        for row in rows:
            self._tick()
            checked = Checked()
            person = self.state.people.get(row.text("工号"))
            post = self.state.posts.get((row.text("部门编码"), row.text("岗位名称")))
            if person is None:
                checked.refuse("工号", _("没有工号为 %(number)s 的人员") % {"number": row.text("工号")})
            if post is None:
                place = {"unit": row.text("部门编码"), "post": row.text("岗位名称")}
                checked.refuse("岗位名称", _("没有岗位 %(unit)s %(post)s") % place)
            starts = checked.day("开始日期", row.value("开始日期"))
            ends = checked.day("结束日期", row.value("结束日期"))
            checked.period("开始日期", starts, "结束日期", ends)
            acting = _flag(checked, row, "代理", empty=False)
            is_primary = _flag(checked, row, "主职", empty=False)
            if person and post and starts and (person.id, post.id, starts) in seen:
                checked.refuse("开始日期", _("与第 %(row)d 行重复") % {"row": seen[person.id, post.id, starts]})
            if is_primary and person and person.id in primary:
                checked.refuse("主职", _("此人在第 %(row)d 行已有主职") % {"row": primary[person.id]})
            if self._wrong(Sheet.APPOINTMENTS, row, checked) or not (person and post and starts):
                continue
            seen[person.id, post.id, starts] = row.number
            if is_primary:
                primary[person.id] = row.number
            self._appoint(row, person, post, starts, (ends, acting, is_primary))
        for key, appointment in self.state.appointments.items():
            if appointment.primary and key not in seen and appointment.person_id in primary:
                appointment.primary = False
                self.plan.no_longer_primary.append(appointment.id)
        self._overlaps()

    def _appoint(
        self, row: Row, person: Person, post: Post, starts: date, values: tuple[date | None, bool, bool]
    ) -> None:
        key = (person.id, post.id, starts)
        appointment = self.state.appointments.get(key)
        if appointment is None:
            appointment = Appointment(id=uuid.uuid4(), person_id=person.id, post_id=post.id, starts=starts)
            self.state.appointments[key] = appointment
            self._count(Sheet.APPOINTMENTS, "added")
        elif (appointment.ends, appointment.acting, appointment.primary) == values:
            self._count(Sheet.APPOINTMENTS, "unchanged")
            self._rows[appointment.id] = (Sheet.APPOINTMENTS, row.number)
            return
        else:
            self._count(Sheet.APPOINTMENTS, "changed")
        appointment.ends, appointment.acting, appointment.primary = values
        self._rows[appointment.id] = (Sheet.APPOINTMENTS, row.number)
        self.plan.appointments.append(appointment)

    def _overlaps(self) -> None:
        by_pair: dict[tuple[UUID, UUID], list[Appointment]] = {}
        for appointment in self.state.appointments.values():
            by_pair.setdefault((appointment.person_id, appointment.post_id), []).append(appointment)
        for pair in by_pair.values():
            pair.sort(key=lambda a: a.starts)
            for earlier, later in itertools.pairwise(pair):
                if earlier.ends is None or earlier.ends >= later.starts:
                    sheet_row = self._rows.get(later.id) or self._rows.get(earlier.id)
                    if sheet_row:
                        self._problem(*sheet_row, "开始日期", _("与同一人同一岗位的另一任职日期重叠"))

    def whole(self) -> None:
        """What only the state after the import can tell: nothing in use may stand in or under something out of use."""
        self._units_out_of_use()
        day = today()
        posts = {post.id: post for post in self.state.posts.values()}
        people = {person.id: person for person in self.state.people.values()}
        for appointment in self.state.appointments.values():
            if appointment.ends is not None and appointment.ends < day:
                continue
            post, person = posts[appointment.post_id], people[appointment.person_id]
            if not post.active:
                self._blame((appointment.id, post.id), "岗位名称", "启用", _("岗位已停用，但还有人任此岗位"))
            if not person.active:
                self._blame((appointment.id, person.id), "工号", "启用", _("人员已停用，但还有任职"))

    def _units_out_of_use(self) -> None:
        by_id = {unit.id: unit for unit in self.state.units.values()}
        for unit in by_id.values():
            parent = by_id.get(unit.parent_id) if unit.parent_id else None
            if unit.active and parent is not None and not parent.active:
                self._blame((unit.id, parent.id), "上级部门编码", "启用", _("上级部门已停用，但下级部门还在用"))
        for post in self.state.posts.values():
            if post.active and not by_id[post.unit_id].active:
                self._blame((post.id, post.unit_id), "部门编码", "启用", _("部门已停用，但还有在用的岗位"))

    def _blame(self, ids: tuple[UUID, UUID], column: str, other_column: str, reason: str) -> None:
        """Put the problem to the row that caused it: the first of the two that the workbook has."""
        for one, heading in zip(ids, (column, other_column), strict=True):
            if one in self._rows:
                self._problem(*self._rows[one], heading, reason)
                return

    def _wrong(self, sheet: Sheet, row: Row, checked: Checked) -> bool:
        for column, reason in checked.problems.items():
            self._problem(sheet, row.number, column, reason)
        return bool(checked.problems)

    def _problem(self, sheet: Sheet, row: int, column: str, reason: str) -> None:
        self.plan.problems.append(Problem(sheet.title, row, column, reason))

    def _count(self, sheet: Sheet, what: str) -> None:
        counts = self.plan.counts[sheet.title]
        setattr(counts, what, getattr(counts, what) + 1)


def _flag(checked: Checked, row: Row, heading: str, *, empty: bool) -> bool:
    text = row.text(heading)
    if not text:
        return empty
    return checked.choice(heading, text, _YES_NO) == YES


def _login(checked: Checked, text: str) -> str:
    if not text:
        return ""
    try:
        return clean_username(text)
    except Invalid as error:
        checked.refuse("登录名", str(error.message))
        return ""


def _unit_values(unit: Unit) -> tuple[object, ...]:
    return (unit.name, unit.short_name, unit.parent_id, unit.position, unit.active, unit.in_charge_post_id)


def _person_values(person: Person) -> tuple[object, ...]:
    return (
        person.name,
        person.initials,
        person.mobile,
        person.email,
        person.rank,
        person.active,
        person.user_id,
    )

"""The organisation's acts: what they write, what they refuse, whom they tell."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from pytest_django import DjangoAssertNumQueries

from saas.core.actors import SYSTEM
from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict, Invalid, NotFound
from saas.organisation import changes, selectors
from saas.organisation.models import Appointment, Person, Unit, today
from saas.organisation.services import (
    Shift,
    appointment_change,
    appointment_end,
    person_deactivate,
    post_deactivate,
    unit_change,
    unit_create,
    unit_deactivate,
    unit_move,
    unit_shift,
)
from tests.organisation import makers

pytestmark = pytest.mark.usefixtures("in_alpha")


def test_a_unit_stands_last_among_its_siblings_and_its_making_is_audited() -> None:
    root = makers.unit("市政府办公室")
    first, second = makers.unit("秘书科", parent=root), makers.unit("综合科", parent=root)
    assert [node.unit.name for node in selectors.flat_units()] == ["市政府办公室", "秘书科", "综合科"]
    assert first.position < second.position
    last = AuditRecord.objects.filter(event="organisation.unit_changed").latest("at")
    assert (last.target_id, last.target_label, last.detail["act"]) == (str(second.id), "综合科", "created")


def test_units_change_places_and_the_edge_changes_nothing() -> None:
    root = makers.unit()
    a, b, c = (makers.unit(name, parent=root) for name in ("甲科", "乙科", "丙科"))
    unit_shift(unit_id=c.id, shift=Shift.UP, by=SYSTEM)
    unit_shift(unit_id=a.id, shift=Shift.UP, by=SYSTEM)
    assert [n.unit.name for n in selectors.flat_units() if n.depth] == ["甲科", "丙科", "乙科"]
    unit_shift(unit_id=b.id, shift=Shift.DOWN, by=SYSTEM)
    assert [n.unit.name for n in selectors.flat_units() if n.depth] == ["甲科", "丙科", "乙科"]


def test_a_unit_cannot_be_put_under_itself_or_under_what_is_below_it() -> None:
    top = makers.unit()
    middle = makers.unit(parent=top)
    low = makers.unit(parent=middle)
    for target in (top, middle, low):
        with pytest.raises(Invalid) as refused:
            unit_move(unit_id=top.id, parent_id=target.id, by=SYSTEM)
        assert refused.value.code == "unit.cycle"
    assert Unit.objects.get(id=top.id).parent_id is None
    unit_move(unit_id=low.id, parent_id=top.id, by=SYSTEM)
    assert Unit.objects.get(id=low.id).parent_id == top.id


@pytest.mark.parametrize(
    ("code", "name", "field"),
    [
        ("", "办公室", "code"),
        ("有 空格", "办公室", "code"),
        ("A" * 41, "办公室", "code"),
        ("A1", "   ", "name"),
        ("A1", "长" * 101, "name"),
        ("A1", "办公\u200b室", "name"),
        ("A1", "办公\x00室", "name"),
    ],
)
def test_a_wrong_value_is_named_by_its_field_and_nothing_is_made(code: str, name: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        unit_create(code=code, name=name, by=SYSTEM)
    assert set(refused.value.fields) == {field}
    assert not Unit.objects.exists()


def test_a_code_is_taken_once() -> None:
    makers.unit(code="BGS")
    with pytest.raises(Invalid) as refused:
        unit_create(code="BGS", name="另一个", by=SYSTEM)
    assert "code" in refused.value.fields


def test_a_unit_in_use_is_not_taken_out_of_use() -> None:
    unit = makers.unit()
    child = makers.unit(parent=unit)
    post = makers.post(unit=child)
    with pytest.raises(Conflict, match="下级部门"):
        unit_deactivate(unit_id=unit.id, by=SYSTEM)
    with pytest.raises(Conflict, match="岗位"):
        unit_deactivate(unit_id=child.id, by=SYSTEM)
    post_deactivate(post_id=post.id, by=SYSTEM)
    unit_deactivate(unit_id=child.id, by=SYSTEM)
    unit_deactivate(unit_id=unit.id, by=SYSTEM)
    assert selectors.unit_tree() == []


def test_a_held_post_and_an_appointed_person_stay_in_use() -> None:
    post, person = makers.post(unit=makers.unit()), makers.person()
    appointment = makers.appoint(person, post)
    with pytest.raises(Conflict):
        post_deactivate(post_id=post.id, by=SYSTEM)
    with pytest.raises(Conflict):
        person_deactivate(person_id=person.id, by=SYSTEM)
    appointment_end(appointment_id=appointment.id, ends=today() - timedelta(days=1), by=SYSTEM)
    post_deactivate(post_id=post.id, by=SYSTEM)
    person_deactivate(person_id=person.id, by=SYSTEM)
    assert not Person.objects.get(id=person.id).active


def test_the_same_post_is_held_once_at_a_time_and_again_after_its_end() -> None:
    post, person = makers.post(unit=makers.unit()), makers.person()
    makers.appoint(person, post, starts=date(2020, 1, 1), ends=date(2020, 12, 31))
    for starts, ends in [
        (date(2020, 12, 31), None),
        (date(2019, 1, 1), date(2020, 1, 1)),
        (date(2020, 5, 1), date(2020, 6, 1)),
        (date(2019, 1, 1), None),
    ]:
        with pytest.raises(Conflict):
            makers.appoint(person, post, starts=starts, ends=ends)
    makers.appoint(person, post, starts=date(2021, 1, 1))
    assert Appointment.objects.count() == 2


def test_dates_out_of_order_are_refused() -> None:
    post, person = makers.post(unit=makers.unit()), makers.person()
    with pytest.raises(Invalid) as refused:
        makers.appoint(person, post, starts=date(2020, 1, 2), ends=date(2020, 1, 1))
    assert set(refused.value.fields) == {"ends"}
    appointment = makers.appoint(person, post)
    with pytest.raises(Invalid):
        appointment_end(appointment_id=appointment.id, ends=date(2019, 12, 31), by=SYSTEM)
    assert Appointment.objects.get().ends is None


def test_one_appointment_is_primary_the_first_by_itself() -> None:
    unit, person = makers.unit(), makers.person()
    first = makers.appoint(person, makers.post("主任", unit=unit))
    second = makers.appoint(person, makers.post("书记", unit=unit))
    assert (first.primary, second.primary) == (True, False)
    appointment_change(appointment_id=second.id, starts=second.starts, ends=None, acting=True, primary=True, by=SYSTEM)
    assert [a.post.name for a in selectors.current_appointments(person)] == ["书记", "主任"]
    assert Appointment.objects.filter(primary=True).count() == 1


def test_holders_are_those_of_today_in_rank_order_with_acting_ones_last() -> None:
    unit = makers.unit()
    post = makers.post("副科长", unit=unit)
    names = [("丙", 3, False), ("甲", 1, False), ("代", 0, True), ("乙", 2, False)]
    for name, rank, acting in names:
        makers.appoint(makers.person(name, rank=rank), post, acting=acting)
    makers.appoint(makers.person("已离任", rank=0), post, ends=today() - timedelta(days=1))
    makers.appoint(makers.person("未到任", rank=0), post, starts=today() + timedelta(days=1))
    assert [a.person.name for a in selectors.holders(post.id)] == ["甲", "乙", "丙", "代"]
    assert selectors.holders_by_post([post.id])[post.id] == selectors.holders(post.id)


def test_the_leader_in_charge_is_the_units_own_or_the_nearest_aboves() -> None:
    top = makers.unit("局领导")
    middle = makers.unit("综合处", parent=top)
    low = makers.unit("信息科", parent=middle)
    deputy, other = makers.post("副局长", unit=top, kind="in_charge"), makers.post("总工", unit=top, kind="in_charge")

    def put(unit: Unit, post_id: UUID) -> None:
        unit_change(
            unit_id=unit.id, code=unit.code, name=unit.name, short_name="", in_charge_post_id=post_id, by=SYSTEM
        )

    assert selectors.in_charge_post(low) is None
    put(middle, deputy.id)
    assert selectors.in_charge_post(low) == deputy
    put(low, other.id)
    assert selectors.in_charge_post(low) == other
    with pytest.raises(Conflict, match="分管"):
        post_deactivate(post_id=other.id, by=SYSTEM)


def test_every_change_of_holders_is_told_in_the_same_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[changes.Change] = []
    monkeypatch.setattr(changes, "_listeners", [heard.append])
    post, person = makers.post(unit=makers.unit()), makers.person()
    appointment = makers.appoint(person, post)
    appointment_end(appointment_id=appointment.id, ends=today(), by=SYSTEM)
    assert [(c.posts, c.people) for c in heard] == [(frozenset({post.id}), frozenset({person.id}))] * 2

    def refuse(change: changes.Change) -> None:
        raise Conflict("还有未办结的待办")

    monkeypatch.setattr(changes, "_listeners", [refuse])
    with pytest.raises(Conflict):
        makers.appoint(makers.person("另一人"), post)
    assert Appointment.objects.count() == 1


def test_what_is_not_there_is_not_found() -> None:
    from uuid import uuid4

    for act in (unit_deactivate,):
        with pytest.raises(NotFound):
            act(unit_id=uuid4(), by=SYSTEM)
    with pytest.raises(NotFound):
        post_deactivate(post_id=uuid4(), by=SYSTEM)
    with pytest.raises(NotFound):
        person_deactivate(person_id=uuid4(), by=SYSTEM)
    with pytest.raises(NotFound):
        appointment_end(appointment_id=uuid4(), ends=today(), by=SYSTEM)


def test_groups_are_the_person_the_posts_and_the_units_with_those_above() -> None:
    top = makers.unit("局")
    middle = makers.unit("处", parent=top)
    beside = makers.unit("旁处", parent=top)
    low = makers.unit("科", parent=middle)
    account = makers.user()
    person = makers.person(user=account)
    mine, ended = makers.post("科长", unit=low), makers.post("旁处长", unit=beside)
    makers.appoint(person, mine)
    makers.appoint(person, ended, ends=today() - timedelta(days=1))
    groups = selectors.person_groups(account.actor)
    assert set(groups) == {person.id, mine.id, low.id, middle.id, top.id}
    assert selectors.person_groups(SYSTEM) == []


def test_the_actor_is_resolved_with_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    account = makers.user()
    unit = makers.unit("秘书科")
    person = makers.person("王敏", user=account)
    makers.appoint(person, makers.post("科员", unit=unit, kind="staff"))
    makers.appoint(person, makers.post("科长", unit=unit), primary=True)
    with django_assert_num_queries(1):
        actor = account.actor
    assert (actor.label, actor.unit_name, actor.person_id) == ("王敏（科长）", "秘书科", person.id)


def test_an_account_without_appointment_acts_without_a_post() -> None:
    account = makers.user()
    makers.person(user=account)
    assert (account.actor.appointment_id, account.actor.user_id) == (None, account.id)

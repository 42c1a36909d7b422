"""Makes units, posts, people and administrators through the real services."""

from __future__ import annotations

from datetime import date
from itertools import count

from saas.accounts.models import User
from saas.accounts.services import role_grant, user_create
from saas.core.access import Role
from saas.core.actors import SYSTEM, Actor
from saas.organisation.models import Appointment, Person, Post, Unit
from saas.organisation.services import appointment_begin, person_create, post_create, unit_create

_numbers = count(1)


def unit(name: str = "办公室", *, parent: Unit | None = None, code: str = "") -> Unit:
    return unit_create(code=code or f"U{next(_numbers)}", name=name, parent_id=parent.id if parent else None, by=SYSTEM)


def post(name: str = "主任", *, unit: Unit, kind: str = "leader", position: int = 0) -> Post:
    return post_create(unit_id=unit.id, name=name, kind=kind, position=position, by=SYSTEM)


def person(name: str = "李建国", *, rank: int = 0, user: User | None = None) -> Person:
    return person_create(
        staff_number=f"N{next(_numbers)}", name=name, rank=rank, user_id=user.id if user else None, by=SYSTEM
    )


def appoint(
    who: Person,
    to: Post,
    *,
    starts: date = date(2020, 1, 1),
    ends: date | None = None,
    acting: bool = False,
    primary: bool = False,
) -> Appointment:
    return appointment_begin(
        person_id=who.id, post_id=to.id, starts=starts, ends=ends, acting=acting, primary=primary, by=SYSTEM
    )


def user(name: str = "李建国") -> User:
    made = user_create(username=f"u{next(_numbers)}", name=name, by=SYSTEM).user
    made.must_change_password = False
    made.save(update_fields=["must_change_password"])
    return made


def staff(name: str = "李建国", *, post: Post) -> User:
    account = user(name)
    appoint(person(name, user=account), post)
    return account


def system_admin() -> User:
    made = user("系统管理员")
    role_grant(user_id=made.id, role=Role.SYSTEM_ADMIN, by=SYSTEM)
    return User.objects.get(pk=made.pk)


def actor(account: User) -> Actor:
    return Actor(user_id=account.id, user_name=account.name)

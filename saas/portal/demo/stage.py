"""Sets a bureau up as its administrators would: organisation, accounts, roles, flows, number books and seal."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from saas.accounts.actors import plain
from saas.accounts.models import User
from saas.accounts.services import role_grant
from saas.approvals.services import flow_install
from saas.core.access import Role
from saas.core.actors import Actor
from saas.core.errors import Conflict
from saas.core.keys import SealKeyKind
from saas.documents.kinds import Kind
from saas.documents.services import book_create
from saas.organisation.acting import as_actor
from saas.organisation.models import Appointment, Post, Unit
from saas.organisation.workbook.applying import import_contents
from saas.organisation.workbook.layout import POST_KIND_NAMES, YES, Sheet
from saas.organisation.workbook.reading import read
from saas.organisation.workbook.writing import book_of
from saas.portal.demo import flows
from saas.portal.demo.cast import BureauPlan
from saas.seals.models import Seal
from saas.seals.services import seal_create

SINCE = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Signs:
    """Who signs in to what in the demonstration."""

    role: str
    username: str
    name: str


class StageError(RuntimeError):
    """The demonstration's own data is refused by the product: one of the two is wrong."""


def actor(username: str) -> Actor:
    """The person with that sign-in, in the main post."""
    row = (
        Appointment.objects.current()
        .filter(person__user__username=username)
        .select_related("person", "post__unit")
        .order_by("-primary")
        .first()
    )
    if row is None:
        raise StageError(f"nobody signs in as {username}")
    return as_actor(row)


def administrator(role: Role) -> Actor:
    """The bureau's administrator of that kind."""
    return plain(User.objects.get(grants__role=role), None)


def set_up(plan: BureauPlan, *, password: str) -> None:
    """Make the bureau ready for work; what is there already stays.

    Args:
        plan: who works there.
        password: given to everybody of the demonstration, administrators included.
    """
    _organisation(plan)
    _passwords(password)
    _roles(plan)
    by = administrator(Role.SYSTEM_ADMIN)
    for key, name, tree in (
        ("outgoing", "发文审批", flows.outgoing(plan)),
        ("outgoing_short", "发文审批（简）", flows.short(plan)),
        ("incoming", "收文办理", flows.incoming(plan)),
        ("leave", "请假申请", flows.leave(plan)),
        ("purchase", "采购申请", flows.purchase(plan)),
    ):
        flow_install(key=key, name=name, tree=tree, by=by)
    _books(plan)
    _seal(plan)


def _rows(plan: BureauPlan) -> dict[Sheet, list[tuple[object, ...]]]:
    people = plan.people()
    leaders = "LD"
    codes = {plan.leaders_unit: leaders} | {office.name: office.code for office in plan.offices}
    units: list[tuple[object, ...]] = [(leaders, plan.leaders_unit, "", "", 0, "", "", YES)]
    for place, office in enumerate(plan.offices, 1):
        deputy = f"{plan.deputy}（{'一二三四'[office.in_charge]}）"
        units.append((office.code, office.name, "", "", place * 10, leaders, deputy, YES))
    posts = dict.fromkeys((codes[one.unit], one.post, one.kind) for one in people)
    return {
        Sheet.UNITS: units,
        Sheet.POSTS: [
            (unit, name, POST_KIND_NAMES[kind], place * 10, YES) for place, (unit, name, kind) in enumerate(posts)
        ],
        Sheet.PEOPLE: [
            (one.staff_number, one.name, one.username, f"1390000{place:04d}", "", place * 10, YES)
            for place, one in enumerate(people, 1)
        ],
        Sheet.APPOINTMENTS: [(one.staff_number, codes[one.unit], one.post, SINCE, None, "否", YES) for one in people],
    }


def _organisation(plan: BureauPlan) -> None:
    if Unit.objects.exists():
        return
    content = book_of(_rows(plan))
    result = import_contents(
        read(io.BytesIO(content)),
        by=administrator(Role.SYSTEM_ADMIN),
        file_name=f"{plan.short_name}组织机构.xlsx",
        sha256="",
        tick=lambda: None,
    )
    if result.problems:
        raise StageError(f"the demonstration's workbook: {result.problems[:3]}")


def _passwords(password: str) -> None:
    """One password for all, which nobody has to change: a visitor tries several people in a row."""
    hashed = make_password(password)
    User.objects.filter(last_login=None).update(password=hashed, must_change_password=False)


def _roles(plan: BureauPlan) -> None:
    by = administrator(Role.SECURITY_ADMIN)
    wanted = [
        ("文书", Role.CLERK),
        ("机要文书", Role.CLERK),
        ("档案管理员", Role.ARCHIVIST),
        (f"副{plan.section_head}", Role.FLOW_ADMIN),
    ]
    for post, role in wanted:
        for one in plan.people():
            if one.unit == plan.general_office.name and one.post == post:
                try:
                    role_grant(user_id=User.objects.get(username=one.username).pk, role=role, by=by)
                except Conflict:
                    continue  # it has the role already: this is a second run


def _books(plan: BureauPlan) -> None:
    by = actor(clerk(plan).username)
    year = timezone.localdate().year
    for mark, kinds in ((f"{plan.mark}发", []), (f"{plan.mark}函", [Kind.LETTER])):
        try:
            book_create(mark=mark, year=year, kinds=kinds, first=1, by=by)
        except Conflict:
            continue  # a second run


def _seal(plan: BureauPlan) -> None:
    if Seal.objects.exists():
        return
    seal_create(
        name=plan.name,
        caption="",
        diameter_mm=42,
        key_kind=SealKeyKind.RSA_3072,
        holder_posts=[_post_id(plan.general_office.name, name) for name in ("文书", "机要文书")],
        by=administrator(Role.SECURITY_ADMIN),
    )


def _post_id(unit: str, name: str) -> UUID:
    return Post.objects.values_list("id", flat=True).get(unit__name=unit, name=name)


def _first(plan: BureauPlan, *, unit: str, post: str) -> Signs:
    one = next(one for one in plan.people() if one.unit == unit and one.post == post)
    return Signs(f"{one.unit} {one.post}", one.username, one.name)


def head(plan: BureauPlan) -> Signs:
    """Who signs documents off."""
    return _first(plan, unit=plan.leaders_unit, post=plan.head)


def deputy(plan: BureauPlan, number: str = "一") -> Signs:
    """A leader in charge."""
    return _first(plan, unit=plan.leaders_unit, post=f"{plan.deputy}（{number}）")


def section_head(plan: BureauPlan, office: int) -> Signs:
    """The head of the section at a place in the plan."""
    return _first(plan, unit=plan.offices[office].name, post=plan.section_head)


def countersigners(plan: BureauPlan) -> list[Signs]:
    """The heads of sections who countersign."""
    return [_first(plan, unit=name, post=plan.section_head) for name in plan.countersigning]


def editor(plan: BureauPlan) -> Signs:
    """Who reads a draft over for the office before it goes to the leaders."""
    return _first(plan, unit=plan.general_office.name, post=plan.section_head)


def drafter(plan: BureauPlan, office: int) -> Signs:
    """An ordinary member of the section at a place in the plan."""
    return _first(plan, unit=plan.offices[office].name, post="科员")


def clerk(plan: BureauPlan) -> Signs:
    """The document clerk, who numbers, seals, sends and receives."""
    return _first(plan, unit=plan.general_office.name, post="文书")


def archivist(plan: BureauPlan) -> Signs:
    """Who files."""
    return _first(plan, unit=plan.general_office.name, post="档案管理员")

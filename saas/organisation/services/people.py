"""Changes people and their accounts."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from saas.accounts.services import user_create
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, NotFound
from saas.organisation import changes
from saas.organisation.initials import initials
from saas.organisation.models import Appointment, Person, today
from saas.organisation.rules import Checked


@transaction.atomic
def person_create(
    *,
    staff_number: str,
    name: str,
    by: Actor,
    mobile: str = "",
    email: str = "",
    rank: int = 0,
    user_id: UUID | None = None,
) -> Person:
    """Add a person, with the account `user_id` when there is one.

    Raises:
        Invalid: a value is wrong or the staff number is taken.
        Conflict: the account belongs to somebody else.
    """
    checked = Checked()
    person = Person(rank=rank)
    _fill(person, checked, staff_number=staff_number, name=name, mobile=mobile, email=email)
    if user_id is not None and Person.objects.filter(user_id=user_id).exists():
        raise Conflict(_("此账号已属于另一人员。"), code="person.account_taken")
    person.user_id = user_id
    person.save(force_insert=True)
    _record(person, by, "created")
    return person


@transaction.atomic
def person_change(
    *, person_id: UUID, staff_number: str, name: str, mobile: str, email: str, rank: int, by: Actor
) -> Person:
    """Change what is known of a person and their place in the rank order.

    Raises:
        NotFound: no such person.
        Invalid: a value is wrong or the staff number is taken.
    """
    person = _locked(person_id)
    before = person.name
    person.rank = rank
    _fill(person, Checked(), staff_number=staff_number, name=name, mobile=mobile, email=email)
    person.save(update_fields=["staff_number", "name", "initials", "mobile", "email", "rank"])
    _record(person, by, "changed", before=before)
    return person


@transaction.atomic
def person_link_account(*, person_id: UUID, user_id: UUID, by: Actor) -> Person:
    """Give a person the account they sign in with.

    Raises:
        NotFound: no such person.
        Conflict: the person has an account, or the account belongs to somebody else.
    """
    person = _locked(person_id)
    if person.user_id == user_id:
        return person
    if person.user_id is not None:
        raise Conflict(_("此人已有账号。"), code="person.has_account")
    if Person.objects.filter(user_id=user_id).exists():
        raise Conflict(_("此账号已属于另一人员。"), code="person.account_taken")
    person.user_id = user_id
    person.save(update_fields=["user"])
    _record(person, by, "account_linked")
    return person


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """A person's new account with its one-time password, which is shown once."""

    username: str
    password: str


@transaction.atomic
def person_open_account(*, person_id: UUID, username: str, by: Actor) -> OpenedAccount:
    """Make an account for a person who has none.

    Raises:
        NotFound: no such person.
        Invalid: the user name breaks its rule.
        Conflict: the person has an account, or the user name is taken.
    """
    person = _locked(person_id)
    if person.user_id is not None:
        raise Conflict(_("此人已有账号。"), code="person.has_account")
    issued = user_create(username=username, name=person.name, by=by)
    person_link_account(person_id=person_id, user_id=issued.user.id, by=by)
    return OpenedAccount(issued.user.username, issued.password)


@transaction.atomic
def person_deactivate(*, person_id: UUID, by: Actor) -> Person:
    """Take a person who left off the lists. Their appointments must have ended: work is handed over first.

    Raises:
        NotFound: no such person.
        Conflict: the person still holds a post.
    """
    person = _locked(person_id)
    if Appointment.objects.filter(Q(ends__isnull=True) | Q(ends__gte=today()), person=person).exists():
        raise Conflict(_("此人还有任职，请先结束任职并移交工作。"), code="person.appointed")
    if person.active:
        person.active = False
        person.save(update_fields=["active"])
        _record(person, by, "deactivated")
        changes.announce(by=by, people={person.id})
    return person


@transaction.atomic
def person_reactivate(*, person_id: UUID, by: Actor) -> Person:
    """Put a person back on the lists.

    Raises:
        NotFound: no such person.
    """
    person = _locked(person_id)
    if not person.active:
        person.active = True
        person.save(update_fields=["active"])
        _record(person, by, "reactivated")
        changes.announce(by=by, people={person.id})
    return person


def _fill(person: Person, checked: Checked, *, staff_number: str, name: str, mobile: str, email: str) -> None:
    person.staff_number = checked.code("staff_number", staff_number)
    person.name = checked.text("name", name, most=60)
    person.mobile = checked.mobile("mobile", mobile)
    person.email = checked.email("email", email)
    person.initials = initials(person.name)[:60]
    if Person.objects.filter(staff_number=person.staff_number).exclude(id=person.id).exists():
        checked.refuse("staff_number", _("工号已被使用"))
    checked.raise_if_wrong()


def _locked(person_id: UUID) -> Person:
    person = Person.objects.select_for_update(of=("self",)).filter(id=person_id).first()
    if person is None:
        raise NotFound(_("没有这个人员。"))
    return person


def _record(person: Person, by: Actor, act: str, **detail: str) -> None:
    record(Event.PERSON_CHANGED, by=by, target=Target("person", person.id, person.name), detail={"act": act, **detail})

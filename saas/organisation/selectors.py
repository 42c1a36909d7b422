"""Reads of the organisation, in rank order; each one query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import Count, Exists, F, Func, IntegerField, OuterRef, Q, TextField, UUIDField, Value
from django.db.models.functions import Concat

from saas.core.actors import Actor
from saas.organisation.models import Appointment, Person, Post, PostKind, Unit, today


@dataclass(frozen=True, slots=True)
class UnitNode:
    """A unit in the tree with its depth (0 = root) and its children in order."""

    unit: Unit
    depth: int
    children: tuple[UnitNode, ...] = field(default=())

    @property
    def indent(self) -> int:
        """The depth as far as pages indent it."""
        return min(self.depth, 4)

    def walk(self) -> Iterable[UnitNode]:
        """This node and all below, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()


def unit_tree(*, including_inactive: bool = False) -> list[UnitNode]:
    """The roots of the tree, siblings by `position` then code. One query."""
    units = Unit.objects.all() if including_inactive else Unit.objects.filter(active=True)
    known = {unit.id: unit for unit in units}
    below: dict[UUID | None, list[Unit]] = {}
    for unit in sorted(known.values(), key=lambda u: (u.position, u.code)):
        below.setdefault(unit.parent_id if unit.parent_id in known else None, []).append(unit)

    def node(unit: Unit, depth: int) -> UnitNode:
        return UnitNode(unit, depth, tuple(node(child, depth + 1) for child in below.get(unit.id, ())))

    return [node(unit, 0) for unit in below.get(None, ())]


def flat_units(*, including_inactive: bool = False) -> list[UnitNode]:
    """The tree in reading order. One query."""
    return [node for root in unit_tree(including_inactive=including_inactive) for node in root.walk()]


def current_appointments(person: Person | UUID) -> list[Appointment]:
    """A person's appointments in force today, the primary one first; post and unit are loaded."""
    person_id = person.id if isinstance(person, Person) else person
    return list(
        Appointment.objects.current()
        .filter(person_id=person_id)
        .select_related("person", "post__unit")
        .order_by("-primary", "acting", "post__position", "starts")
    )


def holders(post_id: UUID) -> list[Appointment]:
    """Who holds a post today, in rank order; person, post and unit are loaded. Empty when vacant."""
    return list(
        Appointment.objects.current()
        .filter(post_id=post_id, post__active=True)
        .select_related("person", "post__unit")
        .in_rank_order()
    )


def holders_by_post(post_ids: Iterable[UUID]) -> dict[UUID, list[Appointment]]:
    """The same for many posts in one query; a vacant post has an empty list."""
    found: dict[UUID, list[Appointment]] = {post_id: [] for post_id in post_ids}
    rows = Appointment.objects.current().filter(post_id__in=found, post__active=True)
    for appointment in rows.select_related("person", "post__unit").in_rank_order():
        found[appointment.post_id].append(appointment)
    return found


def posts_held(person_id: UUID) -> list[UUID]:
    """The ids of the posts a person holds today."""
    return list(
        Appointment.objects.current().filter(person_id=person_id, post__active=True).values_list("post_id", flat=True)
    )


def leader_post(unit: Unit | UUID) -> Post | None:
    """The post of the unit's leader, or None when it has none."""
    unit_id = unit.id if isinstance(unit, Unit) else unit
    posts = Post.objects.filter(unit_id=unit_id, kind=PostKind.LEADER, active=True).select_related("unit")
    return posts.order_by("position", "name").first()


def in_charge_post(unit: Unit | UUID) -> Post | None:
    """The post of the leader in charge of a unit (分管领导): its own, or the nearest ancestor's. One query."""
    unit_id = unit.id if isinstance(unit, Unit) else unit
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE up AS (
                SELECT id, parent_id, in_charge_post_id, 0 AS distance FROM organisation_unit WHERE id = %s
                UNION ALL
                SELECT u.id, u.parent_id, u.in_charge_post_id, up.distance + 1
                FROM organisation_unit u JOIN up ON u.id = up.parent_id WHERE up.distance < 50
            )
            SELECT p.id FROM up JOIN organisation_post p ON p.id = up.in_charge_post_id AND p.active
            ORDER BY up.distance LIMIT 1
            """,
            [unit_id],
        )
        row = cursor.fetchone()
    return Post.objects.select_related("unit").get(id=row[0]) if row else None


def person_of(user_id: UUID) -> Person | None:
    """The person who signs in with an account, or None."""
    return Person.objects.filter(user_id=user_id).first()


def person_groups(actor: Actor) -> list[UUID]:
    """Every group the actor may read as: the person, the posts held today, their units and those above. One query.

    An actor without a person (an administrator, a system act) reads as nobody: the list is empty.
    """
    if actor.person_id is None:
        return []
    day = today()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE held AS (
                SELECT p.id AS post_id, p.unit_id
                FROM organisation_appointment a
                JOIN organisation_person who ON who.id = a.person_id AND who.active
                JOIN organisation_post p ON p.id = a.post_id AND p.active
                WHERE a.person_id = %(person)s AND a.starts <= %(day)s AND (a.ends IS NULL OR a.ends >= %(day)s)
            ), up AS (
                SELECT u.id, u.parent_id FROM organisation_unit u WHERE u.id IN (SELECT unit_id FROM held)
                UNION
                SELECT u.id, u.parent_id FROM organisation_unit u JOIN up ON u.id = up.parent_id
            )
            SELECT %(person)s::uuid UNION SELECT post_id FROM held UNION SELECT id FROM up
            """,
            {"person": actor.person_id, "day": day},
        )
        return [row[0] for row in cursor.fetchall()]


def directory(*, unit_ids: Sequence[UUID], words: str, offset: int, limit: int) -> list[Appointment]:
    """Current appointments for the 通讯录, unit by unit, in rank order. One query.

    Args:
        unit_ids: the units to show, in the order to show them.
        words: part of a name, of its pinyin initials, of a staff number, a mobile number or a post's name.
        offset: how many to pass over.
        limit: at most this many.
    """
    rows = Appointment.objects.current().filter(post__active=True, post__unit_id__in=unit_ids)
    if words:
        rows = rows.filter(_person_matches(words, "person__") | Q(post__name__icontains=words))
    place: Func = Func(
        Value(list(unit_ids), output_field=ArrayField(UUIDField())),
        F("post__unit_id"),
        function="array_position",
        output_field=IntegerField(),
    )
    rows = rows.select_related("person", "post__unit").alias(unit_place=place)
    order = ("unit_place", "post__position", "acting", "person__rank", "person__staff_number", "post__name")
    return list(rows.order_by(*order)[offset : offset + limit])


def people(*, words: str, state: str, offset: int, limit: int) -> list[Person]:
    """People in rank order with `held`, their current posts as one text. One query.

    Args:
        words: as in `directory`.
        state: ``left`` for those out of use, ``vacant`` for those without a post today, else everybody in use.
        offset: how many to pass over.
        limit: at most this many.
    """
    current = Appointment.objects.current().filter(person_id=OuterRef("id"), post__active=True)
    rows = Person.objects.filter(active=state != "left")
    if state == "vacant":
        rows = rows.filter(~Exists(current))
    if words:
        rows = rows.filter(_person_matches(words, ""))
    held = ArraySubquery(
        current.order_by("-primary", "post__position")
        .annotate(label=Concat("post__unit__name", Value(" "), "post__name", output_field=TextField()))
        .values("label")
    )
    return list(rows.annotate(held=held).order_by("rank", "staff_number")[offset : offset + limit])


def _person_matches(words: str, prefix: str) -> Q:
    return (
        Q(**{f"{prefix}name__icontains": words})
        | Q(**{f"{prefix}initials__startswith": words.lower()})
        | Q(**{f"{prefix}staff_number__istartswith": words})
        | Q(**{f"{prefix}mobile__startswith": words})
    )


def all_appointments(person_id: UUID) -> list[Appointment]:
    """A person's appointments, past and to come too, the latest first; post and unit are loaded."""
    rows = Appointment.objects.filter(person_id=person_id).select_related("post__unit", "person")
    return list(rows.order_by(F("ends").desc(nulls_first=True), "-starts"))


def active_posts() -> list[Post]:
    """All posts in use with their units, unit by unit."""
    posts = Post.objects.filter(active=True).select_related("unit")
    return list(posts.order_by("unit__position", "unit__code", "position", "name"))


def leading_posts() -> list[Post]:
    """The posts that may be in charge of a unit: leaders, leaders in charge and deputies."""
    kinds = [PostKind.LEADER, PostKind.IN_CHARGE, PostKind.DEPUTY]
    posts = Post.objects.filter(active=True, kind__in=kinds).select_related("unit")
    return list(posts.order_by("unit__position", "unit__code", "position", "name"))


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post with who holds it today."""

    post: Post
    holders: list[Appointment]


def posts_with_holders(unit_id: UUID) -> list[HeldPost]:
    """A unit's posts in order, those out of use last. Two queries."""
    posts = list(Post.objects.filter(unit_id=unit_id).order_by("-active", "position", "name"))
    held = holders_by_post([post.id for post in posts])
    return [HeldPost(post, held[post.id]) for post in posts]


@dataclass(frozen=True, slots=True)
class UnitCount:
    """How many posts in use a unit has, and how many people hold one today."""

    posts: int
    people: int


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit of the tree with its counts."""

    node: UnitNode
    count: UnitCount


def unit_rows() -> list[UnitRow]:
    """The whole tree in reading order, units out of use too, with counts. Two queries."""
    counts = unit_counts()
    nodes = flat_units(including_inactive=True)
    return [UnitRow(node, counts.get(node.unit.id, UnitCount(0, 0))) for node in nodes]


def unit_counts() -> dict[UUID, UnitCount]:
    """By unit id; a unit without posts is not in it. One query."""
    day = today()
    current = Q(appointments__starts__lte=day) & (Q(appointments__ends__isnull=True) | Q(appointments__ends__gte=day))
    rows = (
        Post.objects.filter(active=True)
        .values("unit_id")
        .annotate(posts=Count("id", distinct=True), people=Count("appointments__person", filter=current, distinct=True))
        .order_by()
    )
    return {row["unit_id"]: UnitCount(row["posts"], row["people"]) for row in rows}

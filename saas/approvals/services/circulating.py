"""传阅: gives people something to read, outside the flow's tokens, and records that they read it."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals.engine.state import Assignee, AssigneeKind
from saas.approvals.models import ReadItem
from saas.approvals.store import Header
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Invalid, NotFound
from saas.organisation import selectors as organisation
from saas.organisation.models import Appointment, Post

MAX_READERS = 2000


def circulate(*, header: Header, node: str, to: tuple[Assignee, ...], by: Actor) -> int:
    """Give an item to read to every holder of the posts and everybody in the units named.

    A vacant post has one item too, for whoever comes to hold it. Somebody who has an unread one gets no second.

    Returns:
        how many items were given.

    Raises:
        Invalid: that would be more than 2,000 readers; nobody gets anything.
    """
    ids = [one.id for one in to]
    units = {one.id for one in to if one.kind is AssigneeKind.UNIT}
    rows = list(
        Appointment.objects.current()
        .filter(Q(post_id__in=ids) | Q(post__unit_id__in=units), post__active=True)
        .select_related("person", "post")
        .in_rank_order()[: MAX_READERS + 1]
    )
    if len(rows) > MAX_READERS:
        raise Invalid(
            _("传阅对象超过 %(most)s 人，请分批传阅。") % {"most": MAX_READERS},
            code="circulate.many",
            fields={"to": _("超过上限")},
        )
    now = timezone.now()
    shared = {
        "instance_id": header.id,
        "node": node,
        "sent_by": by.label[:160],
        "sent_at": now,
        "subject_kind": header.subject.kind,
        "title": header.subject.title,
        "number": header.subject.number,
        "urgency": header.subject.urgency,
    }
    items: dict[UUID, ReadItem] = {}
    for row in rows:
        items.setdefault(
            row.person_id,
            ReadItem(
                **shared,
                post_id=row.post_id,
                person_id=row.person_id,
                person_name=row.person.name,
                post_name=row.post.name,
            ),
        )
    vacant = {one.id for one in to if one.kind is AssigneeKind.POST} - {row.post_id for row in rows}
    for post in Post.objects.filter(id__in=vacant) if vacant else ():
        items[post.id] = ReadItem(**shared, post_id=post.id, post_name=post.name)
    ReadItem.objects.bulk_create(items.values(), ignore_conflicts=True)
    return len(items)


@transaction.atomic
def mark_read(*, item_ids: list[UUID], by: Actor) -> int:
    """已阅: record that `by` has read these; those already read stay as they are.

    Returns:
        how many became read.

    Raises:
        NotFound: one of them is not for `by`.
    """
    if by.person_id is None:
        raise NotFound(_("没有这项待阅。"))
    posts = organisation.posts_held(by.person_id)
    mine = Q(person_id=by.person_id) | Q(person_id__isnull=True, post_id__in=posts)
    items = list(ReadItem.objects.select_for_update().filter(mine, id__in=item_ids))
    if len(items) != len(set(item_ids)):
        raise NotFound(_("没有这项待阅，或不是给您的。"))
    unread = [item for item in items if item.read_at is None]
    now = timezone.now()
    for item in unread:
        item.read_at, item.person_id, item.person_name = now, by.person_id, by.user_name[:60]
        record(Event.TASK_READ, by=by, target=Target("read_item", item.id, item.title))
    ReadItem.objects.bulk_update(unread, ["read_at", "person_id", "person_name"])
    return len(unread)

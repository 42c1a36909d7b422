"""Follows changes of who holds what: open tasks move on with the post, in the transaction of the change."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from saas.approvals import store
from saas.approvals.engine.commands import Act, Command, Reason
from saas.approvals.engine.state import HoldReason, Status, TaskState
from saas.approvals.models import Instance, Task
from saas.approvals.services.running import run
from saas.core.errors import Conflict
from saas.organisation.changes import Change
from saas.organisation.models import Appointment, Post

# Nodes that wait because their rules named nobody: any appointment may be what they wait for.
_UNFOUND = frozenset({HoldReason.NOBODY.value, HoldReason.NOT_CHOSEN.value})


def holders_changed(change: Change) -> None:
    """Take back the reason of nodes whose posts are held again; name it, or ask the substitute, where none is left.

    To-dos follow their post by themselves, so only flows whose reasons may change are touched.
    """
    if not change.posts:
        return
    units = Post.objects.filter(id__in=change.posts).values_list("unit_id", flat=True)
    for instance_id in sorted(_touched(set(change.posts), set(units)) | _unfound()):
        _look_again(instance_id, change)


def _touched(posts: set[UUID], units: set[UUID]) -> set[UUID]:
    held: set[UUID] = set()
    current = Appointment.objects.current().filter(post__active=True)
    for post_id, unit_id in current.filter(Q(post_id__in=posts) | Q(post__unit_id__in=units)).values_list(
        "post_id", "post__unit_id"
    ):
        held |= {post_id, unit_id}
    asked = Task.objects.filter(
        Q(instance__held=True) | Q(assignee_id__in=(posts | units) - held),
        state=TaskState.OPEN,
        assignee_id__in=posts | units,
        instance__status=Status.RUNNING,
    )
    return set(asked.values_list("instance_id", flat=True))


def _unfound() -> set[UUID]:
    rows = Instance.objects.filter(held=True, status=Status.RUNNING).values_list("id", "live")
    return {one for one, live in rows if any(at[2] in _UNFOUND for at in live.get("active", {}).values())}


def _look_again(instance_id: UUID, change: Change) -> None:
    loaded = store.lock(instance_id)
    if loaded is None or loaded.state.status is not Status.RUNNING:
        return
    now = timezone.now()
    entry = store.Record(
        act=Act.HOLDERS_CHANGED, by=change.by, now=now, node=next(iter(loaded.state.active)), detail={"followed": True}
    )
    try:
        run(loaded, Command(act=Act.HOLDERS_CHANGED, now=now), entry)
    except Conflict as error:
        if error.code != f"approvals.{Reason.NOTHING_CHANGED}":
            raise

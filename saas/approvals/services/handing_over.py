"""离岗交接: everything only a leaver could do goes to others, each item on the record."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from saas.approvals import handover
from saas.approvals.engine.state import Assignee
from saas.approvals.models import Task
from saas.approvals.services.administering import task_reassign
from saas.core.actors import Actor
from saas.core.errors import Conflict, Invalid


@transaction.atomic
def hand_over(*, person_id: UUID, to: Mapping[UUID, Assignee], by: Actor, reason: str) -> int:
    """Give a leaver's to-dos to other posts.

    Args:
        person_id: the leaver.
        to: for each task the post that has it from now on.
        by: the flow administrator.
        reason: kept with every task.

    Returns:
        how many tasks were handed over.

    Raises:
        Forbidden: `by` does not keep the flows.
        Invalid: nothing chosen, or no reason given.
        Conflict: one of them is no longer the leaver's alone.
    """
    if not to:
        raise Invalid(_("请为至少一件待办选择接手的岗位。"))
    known = set(Task.objects.filter(handover.only_by(person_id), id__in=to).values_list("id", flat=True))
    if known != set(to):
        raise Conflict(_("有的待办已经办理或转走，请刷新后重试。"))
    for task_id, assignee in to.items():
        task_reassign(task_id=task_id, to=assignee, by=by, reason=reason, idempotency_key=uuid4().hex)
    return len(to)

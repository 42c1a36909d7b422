"""What somebody still has to do before their account may be disabled."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from saas.approvals.engine.state import TaskState
from saas.approvals.models import PAUSED, Task
from saas.organisation import selectors as organisation
from saas.organisation.models import Appointment

_LIVE = (TaskState.OPEN.value, TaskState.WAITING.value, TaskState.QUEUED.value, PAUSED)


def only_by(person_id: UUID) -> Q:
    """Which tasks nobody else could act on once this person is gone, also those whose turn has not come.

    A post or unit where somebody else with an account in use serves keeps its to-dos reachable; what came back to
    this very drafter does not move by itself.
    """
    mine = set(Appointment.objects.current().filter(person_id=person_id).values_list("post_id", "post__unit_id"))
    places = {place for pair in mine for place in pair}
    others = (
        Appointment.objects.current()
        .filter(Q(post_id__in=places) | Q(post__unit_id__in=places), post__active=True, person__user__is_active=True)
        .exclude(person_id=person_id)
        .values_list("post_id", "post__unit_id")
    )
    reachable = {place for pair in others for place in pair}
    alone = Q(assignee_id__in=places - reachable) | Q(assignee_id__in=places, person_id=person_id)
    return alone & Q(state__in=_LIVE)


def reasons_against_disabling(user_id: UUID) -> list[str]:
    """To-dos that nobody else could act on once this user is gone; empty when there are none."""
    person = organisation.person_of(user_id)
    if person is None:
        return []
    count = Task.objects.filter(only_by(person.id)).count()
    if not count:
        return []
    return [
        _("还有 %(count)d 件待办只有 %(name)s 能办。请先由本人办完，或由流程管理员在“卡住事项 · 离岗交接”里交给别人。")
        % {"count": count, "name": person.name}
    ]

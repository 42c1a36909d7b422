"""What somebody still has to do before their account may be disabled."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from saas.approvals.engine.state import TaskState
from saas.approvals.models import Task
from saas.organisation import selectors as organisation
from saas.organisation.models import Appointment


def reasons_against_disabling(user_id: UUID) -> list[str]:
    """Open to-dos that nobody else could act on once this user is gone; empty when there are none.

    A post with another holder keeps its to-dos reachable, so only posts held alone count.
    """
    person = organisation.person_of(user_id)
    if person is None:
        return []
    posts = set(organisation.posts_held(person.id))
    shared = set(
        Appointment.objects.current()
        .filter(post_id__in=posts)
        .exclude(person_id=person.id)
        .values_list("post_id", flat=True)
    )
    count = Task.objects.filter(state=TaskState.OPEN, assignee_id__in=posts - shared).count()
    if not count:
        return []
    return [
        _("还有 %(count)d 件待办只有 %(name)s 能办。请先由本人办完，或另行任命接任者、由流程管理员改派。")
        % {"count": count, "name": person.name}
    ]

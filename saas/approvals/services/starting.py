"""Starting a flow on a subject, and what may be done to the whole instance."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals import selectors, store
from saas.approvals.engine.commands import Act, Command
from saas.approvals.engine.state import Assignee, Drafter, State, Status, TaskKind
from saas.approvals.models import ASKED, FlowEvent, FlowVersion, Instance, ReadItem, Task, VersionState
from saas.approvals.registry import Subject
from saas.approvals.services import acting, limits
from saas.approvals.services.filling import FormInput, form_fill
from saas.approvals.services.running import run
from saas.core.actors import Actor
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound, Throttled

URGE_PAUSE = timedelta(hours=2)


@transaction.atomic
def start_flow(
    *,
    flow_key: str,
    subject: Subject,
    by: Actor,
    values: Mapping[str, Any] | None = None,
    chosen: Mapping[str, tuple[Assignee, ...]] | None = None,
    opinion: str = "",
    idempotency_key: str = "",
    form: Mapping[str, Any] | None = None,
) -> UUID:
    """Start the published version of a flow on a subject; `by` is its drafter.

    Args:
        flow_key: which flow.
        subject: what it is about.
        by: the drafter, acting in a post.
        values: fields that conditions ask for; `urgency` and `title` are added from the subject.
        chosen: assignees the drafter chooses for later nodes, by node key.
        opinion: what the drafter says with it.
        idempotency_key: the same key starts one instance, however often it is sent.
        form: what the drafter filled in, by field, when the flow has a form.

    Returns:
        the instance's id.

    Raises:
        NotFound: no published flow of that key.
        Conflict: the subject is on its way already.
        Invalid: `by` acts in no post, a choice is missing, or the form is not filled in rightly.
    """
    return start(
        flow_key=flow_key,
        subject=subject,
        by=by,
        values=values or {},
        chosen=chosen or {},
        opinion=opinion,
        idempotency_key=idempotency_key,
        form=form or {},
        parent=None,
    )


def start(
    *,
    flow_key: str,
    subject: Subject,
    by: Actor,
    values: Mapping[str, Any],
    chosen: Mapping[str, tuple[Assignee, ...]],
    opinion: str,
    idempotency_key: str,
    form: Mapping[str, Any],
    parent: tuple[UUID, str, Drafter] | None,
) -> UUID:
    """`start_flow`, and for sub-flows: `parent` is the parent's id, its node and its drafter."""
    if by.post_id is None and parent is None:
        raise Invalid(_("您没有任职岗位，不能发起流程。请联系系统管理员。"))
    version = (
        FlowVersion.objects.filter(flow__key=flow_key, state=VersionState.PUBLISHED).select_related("flow").first()
    )
    if version is None:
        raise NotFound(_("没有已发布的流程“%(key)s”，请联系流程管理员。") % {"key": flow_key})
    if parent is None and idempotency_key:
        done = FlowEvent.objects.filter(idempotency_key=idempotency_key).values_list("instance_id", flat=True).first()
        if done is not None:
            return done
    open_states = [Status.RUNNING.value, Status.SUSPENDED.value]
    if (
        parent is None
        and Instance.objects.filter(subject_id=subject.id, status__in=open_states, parent_id__isnull=True).exists()
    ):
        raise Conflict(_("这件事已经在办理中，不能重复提交。"), code="approvals.already_started")
    now = timezone.now()
    drafter = parent[2] if parent else Drafter(person=by.person_id, post=_post(by), unit=by.unit_id)
    all_values = {
        "urgency": subject.urgency,
        "title": subject.title,
        "drafter_unit": str(drafter.unit or ""),
        **values,
    }
    state = State(id=uuid.uuid4(), drafter=drafter, values=all_values)
    header = store.Header(
        id=state.id,
        version_id=version.id,
        flow_key=flow_key,
        flow_name=version.flow.name,
        subject=subject,
        drafter_label=by.label[:160],
        parent_id=parent[0] if parent else None,
        parent_node=parent[1] if parent else "",
    )
    loaded = store.Loaded(header, store.definition(version.id), state, repeated=False)
    acting.check_choices(loaded, chosen)
    text = acting.check_opinion(opinion, act=Act.START)
    at = loaded.flow.start.key
    filled = form_fill(loaded=loaded, node=at, given=FormInput(form), by=by, sending=parent is None)
    loaded = filled.loaded
    _insert(header, loaded.state, now)
    command = Command(act=Act.START, now=now, person=by.person_id, post=by.post_id, chosen=chosen)
    entry = store.Record(
        act=Act.START,
        by=by,
        now=now,
        node=at,
        opinion=text,
        idempotency_key=idempotency_key or None,
        detail=filled.detail,
    )
    try:
        run(loaded, command, entry)
    except IntegrityError as error:
        raise acting.used_elsewhere(error) from error
    return state.id


def _post(by: Actor) -> UUID:
    if by.post_id is None:
        raise Invalid(_("您没有任职岗位，不能发起流程。请联系系统管理员。"))
    return by.post_id


def _insert(header: store.Header, state: State, now: Any) -> None:
    Instance(
        id=header.id,
        version_id=header.version_id,
        flow_key=header.flow_key,
        flow_name=header.flow_name,
        subject_kind=header.subject.kind,
        subject_id=header.subject.id,
        title=header.subject.title[:500],
        number=header.subject.number[:100],
        urgency=header.subject.urgency,
        values=dict(state.values),
        drafter_person_id=state.drafter.person,
        drafter_post_id=state.drafter.post,
        drafter_unit_id=state.drafter.unit,
        drafter_label=header.drafter_label,
        parent_id=header.parent_id,
        parent_node=header.parent_node,
        started_at=now,
        changed_at=now,
    ).save(force_insert=True)


@transaction.atomic
def resubmit(
    *,
    instance_id: UUID,
    by: Actor,
    idempotency_key: str,
    values: Mapping[str, Any] | None = None,
    chosen: Mapping[str, tuple[Assignee, ...]] | None = None,
    opinion: str = "",
    form: FormInput | None = None,
) -> acting.ActResult:
    """The drafter submits again what came back.

    Raises:
        NotFound: no such instance that `by` may know of.
        Conflict: it is not with the drafter.
    """
    task_id = (
        Task.objects.filter(instance_id=instance_id, kind=TaskKind.START, state__in=ASKED)
        .values_list("id", flat=True)
        .first()
    )
    if task_id is None:
        if not selectors.may_read(instance_id, by):
            raise NotFound(_("没有这件事。"))
        raise Conflict(_("事项不在拟稿人处，不能提交。"), code="approvals.not_at_start")
    return acting.act(
        task_id=task_id,
        act=Act.AGREE,
        by=by,
        opinion=opinion,
        idempotency_key=idempotency_key,
        target=acting.Target(chosen=chosen or {}),
        values=values,
        form=form,
    )


@transaction.atomic
def terminate(*, instance_id: UUID, by: Actor, reason: str, idempotency_key: str) -> acting.ActResult:
    """终止: end a flow before its end.

    The drafter may while it is with them; the flow administrator always may; both say why.

    Raises:
        NotFound: no such instance that `by` may know of.
        Forbidden: `by` may see it but not end it.
        Conflict: it has ended.
    """
    loaded = store.lock(instance_id, idempotency_key=idempotency_key)
    if loaded is None or not selectors.may_read(instance_id, by):
        raise NotFound(_("没有这件事。"))
    if loaded.repeated:
        return acting.ActResult(instance_id, loaded.state.status, repeated=True)
    at_start = loaded.flow.start.key in loaded.state.active
    is_drafter = by.person_id is not None and by.person_id == loaded.state.drafter.person
    if not (is_drafter and at_start) and not selectors.administers(by):
        raise Forbidden(_("只有拟稿人（事项在其手中时）和流程管理员可以终止。"))
    now = timezone.now()
    entry = store.Record(
        act=Act.TERMINATE,
        by=by,
        now=now,
        node=next(iter(loaded.state.active), loaded.flow.start.key),
        opinion=acting.check_opinion(reason, act=Act.TERMINATE),
        idempotency_key=idempotency_key or None,
    )
    command = Command(act=Act.TERMINATE, now=now, person=by.person_id, post=by.post_id)
    return acting.ActResult(instance_id, run(loaded, command, entry).after.status)


@transaction.atomic
def remind(*, instance_id: UUID, by: Actor, idempotency_key: str) -> int:
    """催办: urge whoever has the matter now. At most once in two hours; the third time their leaders are told.

    Returns:
        how often it has been urged in all.

    Raises:
        NotFound: no such instance that `by` may know of.
        Throttled: it was urged less than two hours ago.
        Conflict: it has ended.
    """
    loaded = store.lock(instance_id, idempotency_key=idempotency_key)
    if loaded is None or not selectors.may_read(instance_id, by):
        raise NotFound(_("没有这件事。"))
    urged = FlowEvent.objects.filter(instance_id=instance_id, act=Act.URGE).order_by("-id")
    if loaded.repeated:
        return urged.count()
    now = timezone.now()
    last = urged.first()
    if last is not None and now - last.at < URGE_PAUSE:
        raise Throttled(
            _("%(who)s 已于 %(when)s 催办，两小时内不再重复催办。")
            % {"who": last.actor_label, "when": timezone.localtime(last.at).strftime("%H:%M")}
        )
    entry = store.Record(
        act=Act.URGE,
        by=by,
        now=now,
        node=next(iter(loaded.state.active), loaded.flow.start.key),
        idempotency_key=idempotency_key or None,
    )
    run(loaded, Command(act=Act.URGE, now=now, person=by.person_id, post=by.post_id), entry)
    limits.urged(loaded, now)
    return urged.count()


@transaction.atomic
def subject_describe(*, subject_id: UUID, title: str, number: str, urgency: int) -> None:
    """Tell the lists a subject's new title, number or urgency."""
    described = {"title": title[:500], "number": number[:100], "urgency": urgency}
    ids = list(Instance.objects.filter(subject_id=subject_id).values_list("id", flat=True))
    Instance.objects.filter(id__in=ids).update(**described)
    Task.objects.filter(instance_id__in=ids).update(**described)
    ReadItem.objects.filter(instance_id__in=ids).update(**described)

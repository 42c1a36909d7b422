"""Keeping definitions: drafts may change, published versions never do, running instances keep theirs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals.definition import DefinitionInvalid, parse
from saas.approvals.definition.check import problems_here
from saas.approvals.models import Flow, FlowVersion, VersionState
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound


@transaction.atomic
def flow_create(*, key: str, name: str, tree: Any, by: Actor) -> FlowVersion:
    """A new flow with its first draft.

    Raises:
        Invalid: the key is not made of lower-case letters, digits and underscores, or the name is empty.
        Conflict: a flow of that key exists.
    """
    key, name = key.strip(), name.strip()
    fields = {}
    if not key or not key.isascii() or not key.replace("_", "").isalnum() or key != key.lower() or len(key) > 40:
        fields["key"] = _("标识由小写英文字母、数字和下划线组成，最多 40 个字。")
    if not name or len(name) > 60:
        fields["name"] = _("请填写流程名称，最多 60 个字。")
    if fields:
        raise Invalid(_("流程没有保存。"), fields=fields)
    try:
        with transaction.atomic():
            flow = Flow.objects.create(key=key, name=name, position=Flow.objects.count())
    except IntegrityError as error:
        raise Conflict(_("标识“%(key)s”已被使用。") % {"key": key}) from error
    return FlowVersion.objects.create(flow=flow, number=1, tree=tree, edited_by=by.label[:120])


@transaction.atomic
def flow_draft_save(*, flow_id: UUID, tree: Any, by: Actor, based_on: tuple[int, str] | None = None) -> FlowVersion:
    """Keep a changed definition as the flow's draft; errors do not keep a draft from being saved.

    Args:
        flow_id: whose draft.
        tree: decoded JSON.
        by: who edits it.
        based_on: number and time (ISO 8601) of the draft the editor started from, ``(0, "")`` when there was
            none; None to overwrite whatever there is.

    Raises:
        NotFound: no such flow.
        Conflict: somebody else has changed or published that draft since.
    """
    flow = Flow.objects.select_for_update().filter(id=flow_id).first()
    if flow is None:
        raise NotFound(_("没有这个流程。"))
    draft = flow.versions.filter(state=VersionState.DRAFT).first()
    current = (draft.number, draft.edited_at.isoformat()) if draft else (0, "")
    if based_on is not None and current != based_on:
        who = draft.edited_by if draft else _("其他人")
        raise Conflict(
            _("%(who)s 已改动或发布了这份草稿，您的修改没有保存，仍在下面；请复制后刷新页面。") % {"who": who}
        )
    if draft is None:
        last = flow.versions.order_by("-number").values_list("number", flat=True).first() or 0
        return FlowVersion.objects.create(flow=flow, number=last + 1, tree=tree, edited_by=by.label[:120])
    draft.tree, draft.edited_by = tree, by.label[:120]
    draft.save(update_fields=["tree", "edited_by", "edited_at"])
    return draft


@transaction.atomic
def flow_publish(*, version_id: UUID, by: Actor) -> FlowVersion:
    """Publish a draft: from now on new instances run on it; the version before is retired.

    Raises:
        NotFound: no such version.
        Conflict: it is no draft any more.
        DefinitionInvalid: with every error at once, in form, structure and against this bureau's organisation.
    """
    version = FlowVersion.objects.select_for_update().select_related("flow").filter(id=version_id).first()
    if version is None:
        raise NotFound(_("没有这个版本。"))
    if version.state != VersionState.DRAFT:
        raise Conflict(_("这个版本已经发布，不能再改。"))
    flow = parse(version.tree)
    problems = problems_here(flow, key=version.flow.key)
    if problems:
        raise DefinitionInvalid(problems)
    FlowVersion.objects.filter(flow_id=version.flow_id, state=VersionState.PUBLISHED).update(state=VersionState.RETIRED)
    version.state, version.published_at, version.published_by = (
        VersionState.PUBLISHED,
        timezone.now(),
        by.label[:120],
    )
    version.save(update_fields=["state", "published_at", "published_by"])
    record(
        Event.FLOW_PUBLISHED,
        by=by,
        target=Target("flow_version", version.id, f"{version.flow.name} V{version.number}"),
        detail={"key": version.flow.key, "number": version.number},
    )
    return version


@transaction.atomic
def flow_retire(*, flow_id: UUID, by: Actor) -> None:
    """Stop a flow: nothing new starts on it, what runs goes on.

    Raises:
        NotFound: no such flow, or none of its versions is published.
    """
    version = (
        FlowVersion.objects.select_for_update()
        .select_related("flow")
        .filter(flow_id=flow_id, state=VersionState.PUBLISHED)
        .first()
    )
    if version is None:
        raise NotFound(_("这个流程没有已发布的版本。"))
    version.state = VersionState.RETIRED
    version.save(update_fields=["state"])
    record(Event.FLOW_RETIRED, by=by, target=Target("flow_version", version.id, version.flow.name))


@transaction.atomic
def flow_install(*, key: str, name: str, tree: Any, by: Actor) -> FlowVersion:
    """Bring in a definition and publish it, unless the published one is the same; for demo, imports and tests.

    Raises:
        DefinitionInvalid: with every error at once.
    """
    published = FlowVersion.objects.filter(flow__key=key, state=VersionState.PUBLISHED).first()
    if published is not None and published.tree == tree:
        return published
    existing = Flow.objects.filter(key=key).first()
    if existing is None:
        version = flow_create(key=key, name=name, tree=tree, by=by)
    else:
        version = flow_draft_save(flow_id=existing.id, tree=tree, by=by)
    return flow_publish(version_id=version.id, by=by)

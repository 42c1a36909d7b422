"""The engine's tables: what a flow is, where each instance stands, and what people said; few, and indexed for lists."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from saas.approvals.engine.state import AssigneeKind, Status, TaskKind, TaskState, Vote

# How an open task of a suspended flow is stored, so that it is in no list of to-dos; the engine knows it as open.
PAUSED = "paused"
ASKED = (TaskState.OPEN.value, PAUSED)


class VersionState(models.TextChoices):
    """A draft may change; a published version never does; a retired one runs on but starts nothing."""

    DRAFT = "draft", _("草稿")
    PUBLISHED = "published", _("已发布")
    RETIRED = "retired", _("已停用")


class Flow(models.Model):
    """A flow by its stable key; its versions hold the definitions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    position = models.IntegerField(default=0)

    class Meta:
        ordering = ["position", "key"]
        constraints = [models.UniqueConstraint(fields=["key"], name="approvals_flow_key")]

    def __str__(self) -> str:
        return self.name


class FlowVersion(models.Model):
    """One definition of a flow. A trigger keeps what was published from being changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="versions", db_index=False)
    number = models.IntegerField()
    state = models.CharField(max_length=10, choices=VersionState.choices, default=VersionState.DRAFT)
    tree = models.JSONField()
    edited_at = models.DateTimeField(auto_now=True)
    edited_by = models.CharField(max_length=120, blank=True, default="")
    published_at = models.DateTimeField(null=True)
    published_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flow", "number"], name="approvals_version_number"),
            models.UniqueConstraint(
                fields=["flow"], condition=Q(state="published"), name="approvals_version_one_published"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow_id} {self.number}"


class Instance(models.Model):
    """One subject on its way. `live` is the engine's own part of the state (active nodes, rounds, choices)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(FlowVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    flow_key = models.CharField(max_length=40)
    flow_name = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    title = models.CharField(max_length=500)
    number = models.CharField(max_length=100, blank=True, default="")
    urgency = models.SmallIntegerField(default=0)
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in Status], default=Status.RUNNING.value)
    held = models.BooleanField(default=False)
    live = models.JSONField(default=dict)
    values = models.JSONField(default=dict)
    drafter_person_id = models.UUIDField(null=True)
    drafter_post_id = models.UUIDField()
    drafter_unit_id = models.UUIDField(null=True)
    drafter_label = models.CharField(max_length=160)
    parent_id = models.UUIDField(null=True)
    parent_node = models.CharField(max_length=40, blank=True, default="")
    started_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject_id"], name="approvals_instance_subject"),
            models.Index(fields=["drafter_person_id", "-started_at"], name="approvals_instance_drafter"),
            models.Index(fields=["changed_at"], condition=Q(held=True), name="approvals_instance_held"),
            models.Index(fields=["parent_id"], condition=Q(parent_id__isnull=False), name="approvals_instance_parent"),
        ]

    def __str__(self) -> str:
        return self.title


class Alert(models.IntegerChoices):
    """How far a limit has been told of; anew for every task, so a limit is armed anew on every entry of a node."""

    NONE = 0, _("未提醒")
    SOON = 1, _("即将到期")
    OVERDUE = 2, _("已超期")


class Task(models.Model):
    """One request to whoever holds a post (or belongs to a unit) when the list is read.

    The columns after `due_at` repeat what lists show, so that a page of to-dos is one index and its rows.
    `supervisor_id` is the post it was escalated to.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    node = models.CharField(max_length=40)
    node_name = models.CharField(max_length=60)
    round = models.IntegerField()
    kind = models.CharField(max_length=10, choices=[(k.value, k.value) for k in TaskKind])
    state = models.CharField(max_length=8, choices=[(s.value, s.value) for s in TaskState])
    was = models.CharField(max_length=8, blank=True, default="")
    vote = models.CharField(max_length=8, blank=True, default="", choices=[(v.value, v.value) for v in Vote])
    assignee_kind = models.CharField(max_length=5, choices=[(k.value, k.value) for k in AssigneeKind])
    assignee_id = models.UUIDField()
    person_id = models.UUIDField(null=True)
    parent_id = models.UUIDField(null=True)
    order = models.IntegerField(default=0)
    opened_by = models.IntegerField()
    closed_by = models.IntegerField(default=0)
    seen = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    done_by = models.UUIDField(null=True)
    done_post = models.UUIDField(null=True)
    subject_kind = models.CharField(max_length=40)
    flow_key = models.CharField(max_length=40)
    title = models.CharField(max_length=500)
    number = models.CharField(max_length=100, blank=True, default="")
    urgency = models.SmallIntegerField(default=0)
    from_label = models.CharField(max_length=160, blank=True, default="")
    bulk = models.BooleanField(default=False)
    alert = models.SmallIntegerField(default=0, db_default=0, choices=Alert.choices)
    urged = models.SmallIntegerField(default=0, db_default=0)
    supervisor_id = models.UUIDField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state="open", due_at__isnull=False, alert__lt=2),
                name="approvals_task_limits",
            ),
            models.Index(
                fields=["supervisor_id"],
                condition=Q(state="open", supervisor_id__isnull=False),
                name="approvals_task_supervised",
            ),
            models.Index(
                fields=["assignee_id", "due_at", "id"],
                include=["subject_kind", "person_id", "flow_key", "opened_at"],
                condition=Q(state="open"),
                name="approvals_task_todo",
            ),
            models.Index(fields=["instance", "order"], name="approvals_task_instance"),
            models.Index(
                fields=["done_by", "-done_at"], condition=Q(done_by__isnull=False), name="approvals_task_done"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} · {self.node_name}"


class Opinion(models.Model):
    """What somebody said with an act, with person and post as they were. Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="opinions", db_index=False)
    task_id = models.UUIDField(null=True)
    node = models.CharField(max_length=40)
    node_name = models.CharField(max_length=60)
    act = models.CharField(max_length=20)
    text = models.TextField(blank=True, default="")
    person_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    person_name = models.CharField(max_length=60)
    post_name = models.CharField(max_length=60, blank=True, default="")
    unit_name = models.CharField(max_length=100, blank=True, default="")
    on_behalf_of = models.CharField(max_length=60, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["instance", "id"], name="approvals_opinion_instance")]

    def __str__(self) -> str:
        return f"{self.person_name} {self.act}"


class FlowEvent(models.Model):
    """The instance's own log: every act once, by its idempotency key. Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="events", db_index=False)
    act_number = models.IntegerField()
    act = models.CharField(max_length=20)
    idempotency_key = models.CharField(max_length=80, null=True)
    task_id = models.UUIDField(null=True)
    node = models.CharField(max_length=40, blank=True, default="")
    person_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=160)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["instance", "id"], name="approvals_event_instance")]
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key"], name="approvals_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instance_id} {self.act}"


class ReadItem(models.Model):
    """Something to read (传阅): outside the token flow, so no act on a flow ever ends it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="reads", db_index=False)
    node = models.CharField(max_length=40, blank=True, default="")
    post_id = models.UUIDField()
    person_id = models.UUIDField(null=True)
    person_name = models.CharField(max_length=60, blank=True, default="")
    post_name = models.CharField(max_length=60, blank=True, default="")
    sent_by = models.CharField(max_length=160)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    subject_kind = models.CharField(max_length=40)
    title = models.CharField(max_length=500)
    number = models.CharField(max_length=100, blank=True, default="")
    urgency = models.SmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(
                fields=["person_id", "-sent_at"], condition=Q(read_at__isnull=True), name="approvals_read_open"
            ),
            models.Index(fields=["instance", "sent_at"], name="approvals_read_instance"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["instance", "post_id", "person_id"],
                condition=Q(read_at__isnull=True),
                nulls_distinct=False,
                name="approvals_read_once",
            )
        ]

    def __str__(self) -> str:
        return self.title


class DelegationState(models.TextChoices):
    """A delegation counts only when the stand-in has accepted it."""

    PROPOSED = "proposed", _("待对方接受")
    ACCEPTED = "accepted", _("已接受")
    DECLINED = "declined", _("已谢绝")
    REVOKED = "revoked", _("已收回")


class Delegation(models.Model):
    """Somebody acts for somebody else from one day to another, both included; shown as “A 代 B”."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    giver_id = models.UUIDField()
    giver_name = models.CharField(max_length=60)
    stand_in_id = models.UUIDField()
    stand_in_name = models.CharField(max_length=60)
    flow_key = models.CharField(max_length=40, blank=True, default="")
    starts = models.DateField()
    ends = models.DateField()
    reason = models.CharField(max_length=200, blank=True, default="")
    state = models.CharField(max_length=10, choices=DelegationState.choices, default=DelegationState.PROPOSED)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["stand_in_id", "ends"], name="approvals_delegation_to"),
            models.Index(fields=["giver_id", "ends"], name="approvals_delegation_from"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(giver_id=models.F("stand_in_id")), name="approvals_delegation_other"),
            models.CheckConstraint(condition=Q(ends__gte=models.F("starts")), name="approvals_delegation_dates"),
        ]

    def __str__(self) -> str:
        return f"{self.stand_in_name} 代 {self.giver_name}"


class Phrase(models.Model):
    """A person's own 常用意见."""

    id = models.BigAutoField(primary_key=True)
    person_id = models.UUIDField()
    text = models.CharField(max_length=200)
    position = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person_id", "text"], name="approvals_phrase_once")]

    def __str__(self) -> str:
        return self.text

"""A bureau's organisation: units in an ordered tree, posts in them, people, and who holds which post when."""

from __future__ import annotations

import uuid
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def today() -> date:
    """The calendar day in China, by which appointments begin and end."""
    return timezone.localdate()


class PostKind(models.TextChoices):
    """What a post is in its unit; flows name posts by it."""

    LEADER = "leader", _("主要负责人")
    IN_CHARGE = "in_charge", _("分管领导")
    DEPUTY = "deputy", _("副职")
    CLERK = "clerk", _("文书")
    STAFF = "staff", _("工作人员")


class Unit(models.Model):
    """A department (部门). The bureau itself is the root of its tree.

    Siblings stand in the order of `position`; `in_charge_post` is the post of the leader who oversees the unit
    (分管领导), which usually belongs to another unit.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children", db_index=False
    )
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    short_name = models.CharField(max_length=40, blank=True, default="")
    position = models.IntegerField(default=0)
    in_charge_post = models.ForeignKey(
        "Post", null=True, blank=True, on_delete=models.PROTECT, related_name="oversees", db_index=False
    )
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], name="organisation_unit_code"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")), name="organisation_unit_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The name as narrow places show it."""
        return self.short_name or self.name


class Post(models.Model):
    """A post (岗位) of a unit. A name stands once in a unit; the workbook knows a post by unit code and name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="posts", db_index=False)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=12, choices=PostKind.choices, default=PostKind.STAFF)
    position = models.IntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "name"], name="organisation_post_unit_name")]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """Somebody who works here; `user` is the account they sign in with, when they have one.

    `rank` orders people in every list, picker and printed sign-off: the smaller, the earlier.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="person"
    )
    staff_number = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    initials = models.CharField(max_length=60, blank=True, default="")
    mobile = models.CharField(max_length=20, blank=True, default="")
    email = models.EmailField(max_length=120, blank=True, default="")
    rank = models.IntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["staff_number"], name="organisation_person_staff_number")]

    def __str__(self) -> str:
        return self.name


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    """Appointments by time and in the order in which people are shown."""

    def current(self, on: date | None = None) -> AppointmentQuerySet:
        """Those in force on `on` (a calendar day in China; today when absent)."""
        day = on or today()
        return self.filter(Q(ends__isnull=True) | Q(ends__gte=day), starts__lte=day, person__active=True)

    def in_rank_order(self) -> AppointmentQuerySet:
        """Posts in their order, then people in theirs; acting holders after the holder proper."""
        return self.order_by("post__position", "acting", "person__rank", "person__staff_number")


class Appointment(models.Model):
    """A person holds a post from `starts` to `ends`, both days included; open when `ends` is null.

    Several at once are normal; one of a person's is `primary`; `acting` ones (代理) stand in for a vacant post.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="appointments")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="appointments")
    starts = models.DateField()
    ends = models.DateField(null=True, blank=True)
    acting = models.BooleanField(default=False)
    primary = models.BooleanField(default=False)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "post", "starts"], name="organisation_appointment_once"),
            models.CheckConstraint(
                condition=Q(ends__isnull=True) | Q(ends__gte=F("starts")), name="organisation_appointment_dates"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.post_id} {self.starts}"

    @property
    def is_current(self) -> bool:
        """Whether it is in force today."""
        day = today()
        return self.starts <= day and (self.ends is None or self.ends >= day)


class ImportState(models.TextChoices):
    """How far a workbook has come."""

    CHECKING = "checking", _("正在检查")
    CHECKED = "checked", _("已检查，待确认")
    REFUSED = "refused", _("有错误，未导入")
    QUEUED = "queued", _("等待导入")
    RUNNING = "running", _("正在导入")
    DONE = "done", _("已导入")
    FAILED = "failed", _("导入失败")


class WorkbookImport(models.Model):
    """One uploaded workbook: what the dry run found, and how far the import has come, so it can be left and found."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file_name = models.CharField(max_length=200)
    stored_name = models.CharField(max_length=200, blank=True, default="")
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=ImportState.choices)
    problems = models.JSONField(default=list)
    problem_count = models.IntegerField(default=0)
    summary = models.JSONField(default=dict)
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    message = models.CharField(max_length=300, blank=True, default="")
    uploaded_by = models.UUIDField(null=True)
    uploaded_by_name = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.file_name

    @property
    def busy(self) -> bool:
        """Whether a job is at work on it, so that its page asks again."""
        return self.state in {ImportState.CHECKING, ImportState.QUEUED, ImportState.RUNNING}

    @property
    def percent(self) -> int:
        """Progress from 0 to 100."""
        if self.state == ImportState.DONE:
            return 100
        if self.state == ImportState.QUEUED:
            return 0
        return min(99, self.done * 100 // self.total) if self.total else 0

"""Records: documents at rest, with their evidence, under a 档号."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _


class Retention(models.TextChoices):
    """保管期限: 《机关文件材料归档范围和文书档案保管期限规定》 (国家档案局令第8号)."""

    PERMANENT = "Y", _("永久")
    THIRTY = "D30", _("30年")
    TEN = "D10", _("10年")


class RecordState(models.TextChoices):
    """Filing is asked for in one transaction and carried out by a job."""

    FILING = "filing", _("归档中")
    FILED = "filed", _("已归档")
    REFUSED = "refused", _("检测未通过")


class Series(models.Model):
    """Counts the items of one year, retention and unit; changed only with the row locked, so 件号 have no gap."""

    id = models.BigAutoField(primary_key=True)
    year = models.SmallIntegerField()
    retention = models.CharField(max_length=3, choices=Retention.choices)
    unit_code = models.CharField(max_length=20)
    next_item = models.IntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["year", "retention", "unit_code"], name="archive_series_once")]


class Record(models.Model):
    """One filed document (件) and the package that proves it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document_id = models.UUIDField(unique=True)
    archive_number = models.CharField(max_length=60, blank=True)
    year = models.SmallIntegerField()
    retention = models.CharField(max_length=3, choices=Retention.choices)
    unit_code = models.CharField(max_length=20)
    direction = models.CharField(max_length=8)
    title = models.CharField(max_length=500)
    number = models.CharField(max_length=60, blank=True)
    issuer = models.CharField(max_length=120, blank=True)
    document_date = models.DateField(null=True)
    state = models.CharField(max_length=8, choices=RecordState.choices, default=RecordState.FILING)
    package_name = models.CharField(max_length=200, blank=True)
    package_sha256 = models.CharField(max_length=64, blank=True)
    package_bytes = models.BigIntegerField(default=0)
    items = models.JSONField(default=list)
    checks = models.JSONField(default=list)
    asked_by = models.CharField(max_length=160)
    asked_at = models.DateTimeField(auto_now_add=True)
    filed_at = models.DateTimeField(null=True)
    readers = ArrayField(models.UUIDField(), default=list)

    class Meta:
        ordering = ["-asked_at"]
        indexes = [
            models.Index(fields=["year", "-asked_at"], name="archive_by_year"),
            GinIndex(fields=["readers"], name="archive_readers"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["archive_number"], condition=~models.Q(archive_number=""), name="archive_number_once"
            )
        ]

    def __str__(self) -> str:
        return self.archive_number or self.title

"""Management's directory: cells, bureaus, the commands given and the facts told back. No tenant's data is here."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from saas.env import Zone
from tenants.protocol import CellName, CommandState, Kind


class BureauState(models.TextChoices):
    """A bureau's state as management knows it."""

    CREATING = "creating", _("开通中")
    ACTIVE = "active", _("正常")
    SUSPENDED = "suspended", _("已停用")
    FAILED = "failed", _("开通失败")


class BureauLevel(models.TextChoices):
    """The administrative level a bureau belongs to."""

    PROVINCE = "province", _("省级")
    CITY = "city", _("市级")
    COUNTY = "county", _("县级")
    TOWN = "town", _("乡级")


class Cell(models.Model):
    """A cell that has signed in with its key; which keys there are is decided when Vault is set up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    zone = models.CharField(max_length=10)
    name = models.CharField(max_length=20)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()
    last_sequence = models.BigIntegerField(default=0)

    objects: ClassVar[models.Manager[Cell]] = models.Manager()

    class Meta:
        ordering = ["zone", "name"]
        constraints = [models.UniqueConstraint(fields=["zone", "name"], name="directory_cell_once")]

    def __str__(self) -> str:
        return f"{self.zone}/{self.name}"

    @property
    def cell_name(self) -> CellName:
        """The cell as commands name it."""
        return CellName(Zone(self.zone), self.name)


class DirectoryBureau(models.Model):
    """A bureau of the cloud."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    code = models.CharField(max_length=31, unique=True)
    name = models.CharField(max_length=100)
    short_name = models.CharField(max_length=50, blank=True)
    division_code = models.CharField(max_length=6)
    level = models.CharField(max_length=10, choices=BureauLevel.choices)
    parent_code = models.CharField(max_length=31, blank=True)
    plan = models.CharField(max_length=30, blank=True)
    schema_name = models.CharField(max_length=14, unique=True)
    state = models.CharField(max_length=10, choices=BureauState.choices, default=BureauState.CREATING)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[DirectoryBureau]] = models.Manager()

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class Command(models.Model):
    """What a cell is told to do: signed text, and how far the cell says it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    cell_id: uuid.UUID
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="commands", db_index=False)
    bureau = models.ForeignKey(DirectoryBureau, on_delete=models.PROTECT, null=True, related_name="commands")
    sequence = models.BigIntegerField()
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    text = models.TextField()
    signature = models.BinaryField()
    algorithm = models.CharField(max_length=30)
    state = models.CharField(
        max_length=10,
        choices=[(state.value, state.value) for state in CommandState],
        default=CommandState.WAITING.value,
    )
    progress = models.PositiveSmallIntegerField(default=0)
    step = models.CharField(max_length=100, blank=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Command]] = models.Manager()

    class Meta:
        ordering = ["-issued_at"]
        constraints = [models.UniqueConstraint(fields=["cell", "sequence"], name="directory_command_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Fact(models.Model):
    """The last thing a cell said of a kind, about itself (empty bureau code) or about a bureau."""

    id = models.BigAutoField(primary_key=True)
    cell_id: uuid.UUID
    cell = models.ForeignKey(Cell, on_delete=models.CASCADE, related_name="facts", db_index=False)
    bureau_code = models.CharField(max_length=31, blank=True)
    kind = models.CharField(max_length=30)
    at = models.DateTimeField()
    value = models.JSONField()

    objects: ClassVar[models.Manager[Fact]] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cell", "kind", "bureau_code"], name="directory_fact_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.bureau_code}"


class SeenNonce(models.Model):
    """A nonce of a cell's request, remembered while the request could be replayed."""

    nonce = models.CharField(max_length=64, primary_key=True)
    seen_at = models.DateTimeField(db_index=True)

    objects: ClassVar[models.Manager[SeenNonce]] = models.Manager()

    def __str__(self) -> str:
        return self.nonce

"""The audit trail's tables: what was done, the chain over it, and the chain's signed heads."""

from __future__ import annotations

from django.db import models

from saas.core.audit.identifiers import ordered_uuid


class AuditRecord(models.Model):
    """One act. Names are pinned as they were; ids point nowhere, so a record outlives what it speaks of."""

    id = models.UUIDField(primary_key=True, default=ordered_uuid, editable=False)
    at = models.DateTimeField()
    event = models.CharField(max_length=60)
    urgent = models.BooleanField(default=False)
    user_id = models.UUIDField(null=True)
    user_name = models.TextField(default="")
    person_id = models.UUIDField(null=True)
    appointment_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    post_name = models.TextField(default="")
    unit_id = models.UUIDField(null=True)
    unit_name = models.TextField(default="")
    on_behalf_of = models.TextField(default="")
    ip = models.TextField(default="")
    request_id = models.TextField(default="")
    target_kind = models.CharField(max_length=60, default="")
    target_id = models.TextField(default="")
    target_label = models.TextField(default="")
    detail = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_record"
        # Ids are ordered by time: the primary key serves the list, this one the list of one person.
        indexes = [models.Index(fields=["user_id", "-id"], name="audit_record_user")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.event}"


class AuditLink(models.Model):
    """A record's place in the chain: the digest covers the record and the digest before it."""

    seq = models.BigIntegerField(primary_key=True)
    record_id = models.UUIDField(unique=True)
    algorithm = models.CharField(max_length=30)
    digest = models.BinaryField()

    class Meta:
        db_table = "audit_link"

    def __str__(self) -> str:
        return f"{self.seq}"


class AuditHead(models.Model):
    """The chain up to `seq`, signed in Vault: nobody who can write the database can write this."""

    seq = models.BigIntegerField(primary_key=True)
    digest = models.BinaryField()
    signed_at = models.DateTimeField()
    algorithm = models.CharField(max_length=30)
    key_name = models.CharField(max_length=60)
    key_version = models.IntegerField()
    signature = models.BinaryField()

    class Meta:
        db_table = "audit_head"

    def __str__(self) -> str:
        return f"{self.seq} {self.signed_at:%Y-%m-%d %H:%M:%S}"

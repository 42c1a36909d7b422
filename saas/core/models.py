"""The base of everything that stands in a bureau's schema."""

from __future__ import annotations

from django.db import models

from saas.core.audit.models import AuditHead, AuditLink, AuditRecord

__all__ = ["AuditHead", "AuditLink", "AuditRecord", "TenantModel"]


class TenantModel(models.Model):
    """A row of one bureau.

    That it stays with its bureau is not this class's doing, so that library models are covered too: the router
    stamps every loaded object (`tenants.routers`), and queries are bound to where they were made
    (`tenants.guards`).
    """

    class Meta:
        abstract = True

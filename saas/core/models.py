"""Core's own tables in a bureau, where Django looks for them."""

from saas.core.audit.models import AuditHead, AuditLink, AuditRecord

__all__ = ["AuditHead", "AuditLink", "AuditRecord"]

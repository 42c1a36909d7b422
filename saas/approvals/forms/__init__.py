"""Forms of flows: typed fields, who may edit or see them at which node, and the one expression language of rules."""

from saas.approvals.forms.model import Access, Check, Field, FieldRule, FieldType, Form

__all__ = ["Access", "Check", "Field", "FieldRule", "FieldType", "Form"]

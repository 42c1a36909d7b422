"""Registers approvals."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """Django's entry to approvals."""

    name = "saas.approvals"
    label = "approvals"

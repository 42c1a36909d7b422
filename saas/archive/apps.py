"""Registers archive."""

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    """Django's entry to archive."""

    name = "saas.archive"
    label = "archive"

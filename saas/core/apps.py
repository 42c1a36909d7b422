"""Registers core."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Django's entry to core."""

    name = "saas.core"
    label = "core"

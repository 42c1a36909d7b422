"""Registers portal."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Django's entry to portal."""

    name = "saas.portal"
    label = "portal"

"""Registers regulations."""

from django.apps import AppConfig


class RegulationsConfig(AppConfig):
    """Django's entry to regulations."""

    name = "saas.regulations"
    label = "regulations"

"""Registers seals."""

from django.apps import AppConfig


class SealsConfig(AppConfig):
    """Django's entry to seals."""

    name = "saas.seals"
    label = "seals"

"""Registers the cell's spool of packages between bureaus."""

from django.apps import AppConfig


class SpoolConfig(AppConfig):
    """Django's entry to the spool, which stands in schema ``cell``."""

    name = "saas.exchange.spool"
    label = "spool"

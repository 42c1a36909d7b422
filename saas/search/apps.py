"""Registers search."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Django's entry to search."""

    name = "saas.search"
    label = "search"

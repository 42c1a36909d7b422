"""Registers search: the menu entry whose place is the top bar."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SearchConfig(AppConfig):
    """Django's entry to search."""

    name = "saas.search"
    label = "search"

    def ready(self) -> None:
        """Register the search page."""
        from saas.core import navigation

        navigation.register(
            navigation.NavEntry(key="search", label=_("全文检索"), url_name="search:search", order=200, icon="search")
        )

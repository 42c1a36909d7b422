"""Registers regulations: the menu entry and the kind of search result."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegulationsConfig(AppConfig):
    """Django's entry to regulations."""

    name = "saas.regulations"
    label = "regulations"

    def ready(self) -> None:
        """Register the menu entry and where a found regulation is opened."""
        from django.urls import reverse

        from saas.core import navigation
        from saas.regulations.services import SEARCH_KIND
        from saas.search import kinds

        kinds.register(SEARCH_KIND, _("制度"), lambda object_id: reverse("regulations:read", args=[object_id]))
        navigation.register(
            navigation.NavEntry(
                key="regulations", label=_("制度库"), url_name="regulations:list", order=220, icon="book"
            )
        )

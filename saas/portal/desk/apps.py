"""Registers the desk."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeskConfig(AppConfig):
    """Django's entry to the desk."""

    name = "saas.portal.desk"
    label = "desk"

    def ready(self) -> None:
        """Put the workbench and the starred documents into the menu."""
        from saas.core.navigation import NavEntry, register

        register(NavEntry("home", _("工作台"), "desk:home", order=0, icon="home", bar=1))
        register(NavEntry("starred", _("收藏"), "desk:starred", order=60, icon="star"))

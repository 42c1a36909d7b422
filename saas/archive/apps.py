"""Registers the archive."""

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    """Django's entry to the archive."""

    name = "saas.archive"
    label = "archive"

    def ready(self) -> None:
        """Register the jobs, the menu entry and what a search result of the archive leads to."""
        from django.urls import reverse
        from django.utils.translation import gettext_lazy as _

        from saas.archive import jobs  # noqa: F401
        from saas.core.navigation import NavEntry, register
        from saas.search import kinds

        register(NavEntry("archive", _("档案"), "archive:list", order=200, icon="archive"))
        kinds.register("record", _("档案"), lambda record_id: reverse("archive:record", args=[record_id]))

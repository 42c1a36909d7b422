"""Registers the archive."""

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    """Django's entry to the archive."""

    name = "saas.archive"
    label = "archive"

    def ready(self) -> None:
        """Register jobs, menu entry, search kind, the button on documents, and the filing of loaded ones."""
        from django.urls import reverse
        from django.utils.translation import gettext_lazy as _

        from saas.archive import jobs, services  # noqa: F401
        from saas.archive.models import Record
        from saas.core.access import Permission
        from saas.core.navigation import NavEntry, register
        from saas.core.storage.sweep import claim, column
        from saas.documents import actions, hooks
        from saas.search import kinds

        register(NavEntry("archive", _("档案"), "archive:list", order=200, icon="archive"))
        claim("archive", column(Record, "package_name"))
        kinds.register("record", _("档案"), lambda record_id: reverse("archive:record", args=[record_id]))
        hooks.register_loaded(services.loaded_file)
        actions.register(
            actions.Action(
                "file",
                _("归档"),
                lambda document: reverse("archive:file", args=[document.id]),
                lambda document, reader: document.state in services.FILEABLE and reader.may(Permission.KEEP_ARCHIVE),
                order=60,
            )
        )

"""Registers the exchange between bureaus."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Django's entry to the exchange between bureaus."""

    name = "saas.exchange"
    label = "exchange"

    def ready(self) -> None:
        """Register the jobs, the desk's menu entry and the button on documents."""
        from django.urls import reverse
        from django.utils.translation import gettext_lazy as _

        from saas.core.access import Permission
        from saas.core.navigation import NavEntry, register
        from saas.core.storage.sweep import claim, column
        from saas.documents import actions
        from saas.exchange import jobs, selectors  # noqa: F401
        from saas.exchange.models import Delivery
        from saas.exchange.services import SENDABLE
        from saas.exchange.spool import packages

        register(
            NavEntry(
                "deliveries",
                _("签收"),
                "exchange:deliveries",
                permission=Permission.REGISTER_INCOMING,
                order=115,
                icon="inbox",
                count=lambda _request: selectors.waiting_count(),
            )
        )
        claim("deliveries", column(Delivery, "object_name"), selectors.attached_objects, packages.waiting_objects)
        actions.register(
            actions.Action(
                "send",
                _("发送"),
                lambda document: reverse("exchange:send", args=[document.id]),
                lambda document, reader: document.state in SENDABLE and reader.may(Permission.REGISTER_INCOMING),
                order=50,
            )
        )

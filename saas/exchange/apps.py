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

        from saas.core import figures
        from saas.core.access import Permission
        from saas.core.navigation import NavEntry, register
        from saas.core.storage.sweep import claim, column
        from saas.documents import actions, panels
        from saas.documents.kinds import State
        from saas.exchange import jobs, selectors  # noqa: F401
        from saas.exchange.models import Delivery
        from saas.exchange.spool import packages

        waiting = "SELECT count(*) FROM exchange_delivery WHERE state = 'waiting'"
        figures.register(figures.Figure("deliveries", Permission.REGISTER_INCOMING, waiting))
        register(
            NavEntry(
                "deliveries",
                _("签收"),
                "exchange:deliveries",
                permission=Permission.REGISTER_INCOMING,
                order=115,
                icon="inbox",
                count=lambda request: figures.figure(request, "deliveries"),
            )
        )
        claim("deliveries", column(Delivery, "object_name"), selectors.attached_objects, packages.waiting_objects)
        actions.register(
            actions.Action(
                "send",
                _("发送"),
                lambda document: reverse("exchange:send", args=[document.id]),
                lambda document, reader: document.state == State.SEALED and reader.may(Permission.REGISTER_INCOMING),
                order=50,
            )
        )
        actions.register(
            actions.Action(
                "send-more",
                _("发送其他单位"),
                lambda document: reverse("exchange:send", args=[document.id]),
                lambda document, reader: document.state == State.SENT and reader.may(Permission.REGISTER_INCOMING),
                order=50,
                onward=False,
            )
        )
        panels.register(
            panels.Panel(
                "dispatches",
                _("送达情况"),
                lambda document: reverse("exchange:dispatches", args=[document.id]),
                lambda document: document.state in {State.SENT, State.FILED} and not document.is_incoming,
            )
        )

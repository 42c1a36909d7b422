"""Registers exchange."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Django's entry to exchange."""

    name = "saas.exchange"
    label = "exchange"

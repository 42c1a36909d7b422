"""Registers accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Django's entry to accounts."""

    name = "saas.accounts"
    label = "accounts"

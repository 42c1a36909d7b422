"""Registers the cell's registry of bureaus."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Django's entry to the cell's registry of bureaus."""

    name = "tenants"
    label = "tenants"

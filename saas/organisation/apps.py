"""Registers organisation."""

from django.apps import AppConfig


class OrganisationConfig(AppConfig):
    """Django's entry to organisation."""

    name = "saas.organisation"
    label = "organisation"

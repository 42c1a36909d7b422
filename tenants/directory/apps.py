"""Registers the directory of bureaus and cells."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    """Django's entry to the directory of bureaus and cells."""

    name = "tenants.directory"
    label = "directory"

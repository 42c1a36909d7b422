"""Which tables exist where, and the stamp that keeps an object with the bureau it was loaded from."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

from saas.core.tenancy import NoTenant
from saas.env import Zone
from tenants.database.current import application_connection
from tenants.database.session import PUBLIC, WrongTenant

# Installed for their code only. A content type's id means different models in different schemas, so a table of
# them would confuse permissions between bureaus; there is none to ask.
WITHOUT_TABLES = frozenset({"contenttypes", "auth"})


class StampedAlias(str):
    """A database alias that remembers the schema: it travels in ``instance._state.db`` and ``queryset._db``."""

    __slots__ = ("schema",)
    schema: str

    def __new__(cls, alias: str, schema: str) -> StampedAlias:
        """Stamp `alias` with `schema`."""
        self = super().__new__(cls, alias)
        self.schema = schema
        return self

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.schema


def is_tenant_app(label: str) -> bool:
    """Whether the app's tables stand in every bureau's schema."""
    return apps.get_app_config(label).name in settings.TENANT_APPS


def check_stamp(alias: object) -> None:
    """Refuse an object or query of one bureau under another.

    Raises:
        WrongTenant: `alias` carries another schema than the active one.
    """
    schema = getattr(alias, "schema", None)
    active = application_connection().schema_name
    if schema is not None and schema != active:
        message = f"an object or query of {schema} is used under {active}"
        raise WrongTenant(message)


class ZoneRouter:
    """Django's router in every zone."""

    def _alias(self, model: type[Model], hints: dict[str, Any]) -> str | None:
        label = model._meta.app_label
        if label in WITHOUT_TABLES:
            message = f"{label} has no tables: content types would mix bureaus"
            raise WrongTenant(message)
        if settings.ZONE is Zone.MANAGEMENT or not is_tenant_app(label):
            return None
        instance = hints.get("instance")
        if instance is not None:
            if instance._state.db not in (None, DEFAULT_DB_ALIAS):
                return None
            check_stamp(instance._state.db)
        active = application_connection().schema_name
        if active == PUBLIC:
            message = f"{model._meta.label} was asked for outside any tenant (a new thread starts outside)"
            raise NoTenant(message)
        return StampedAlias(DEFAULT_DB_ALIAS, active)

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """The default database, stamped with the active bureau."""
        return self._alias(model, hints)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """The default database, stamped with the active bureau."""
        return self._alias(model, hints)

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool | None:
        """Two objects may refer to each other when they come from one bureau."""
        stamps = {getattr(item._state.db, "schema", None) for item in (one, other)} - {None}
        if len(stamps) > 1:
            message = f"objects of {' and '.join(sorted(map(str, stamps)))} may not refer to each other"
            raise WrongTenant(message)
        return None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Tables are made by the owner alone: shared apps' outside the bureaus, tenant apps' inside."""
        if app_label in WITHOUT_TABLES or db == DEFAULT_DB_ALIAS:
            return False
        inside = getattr(connections[db], "schema_name", PUBLIC) != PUBLIC
        return is_tenant_app(app_label) == inside

"""A query is bound to the bureau it was made under; evaluating it under another is refused."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Manager, QuerySet

from tenants.database.current import application_connection
from tenants.database.session import PUBLIC, WrongTenant
from tenants.routers import check_stamp


class BoundQuerySet:
    """Mixed into the queryset of every manager of every tenant model, third-party ones included.

    A queryset made outside any bureau (a form field's, at import) is unbound; its copies bind when made inside.
    """

    _bound_to: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bound_to = _active()

    def _clone(self) -> Any:
        clone = super()._clone()  # type: ignore[misc]
        clone._bound_to = self._bound_to or _active()
        return clone

    @property
    def db(self) -> str:
        """The alias to run on; every evaluation asks for it first."""
        active = application_connection().schema_name
        if self._bound_to is not None and self._bound_to != active:
            message = f"a query made under {self._bound_to} is evaluated under {active}"
            raise WrongTenant(message)
        check_stamp(self._db)  # type: ignore[attr-defined]
        alias: str = super().db  # type: ignore[misc]
        return alias


def _active() -> str | None:
    schema = application_connection().schema_name
    return None if schema == PUBLIC else schema


_bound: dict[type[Any], type[Any]] = {}


def _bind(manager: Manager[Any]) -> None:
    plain: type[QuerySet[Any]] = manager._queryset_class  # type: ignore[attr-defined]
    if issubclass(plain, BoundQuerySet):
        return
    if plain not in _bound:
        _bound[plain] = type(plain.__name__, (BoundQuerySet, plain), {"__module__": plain.__module__})
    manager._queryset_class = _bound[plain]  # type: ignore[attr-defined]


def install() -> None:
    """Bind the managers of all tenant models; called once, when all models are known."""
    for config in apps.get_app_configs():
        if config.name not in settings.TENANT_APPS:
            continue
        for model in config.get_models(include_auto_created=True):
            for manager in model._meta.managers:
                _bind(manager)
            _bind(model._meta.base_manager)

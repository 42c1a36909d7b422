"""Reads of the cell's registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from saas.core.errors import NotFound
from saas.core.tenancy import NoTenant, TenantRef
from tenants.context import outside_tenants, use_tenant


def bureau_by_code(code: str) -> TenantRef:
    """The bureau of this cell with that code, whatever its state.

    Raises:
        NotFound: this cell serves no such bureau.
    """
    from tenants.models import Bureau

    with outside_tenants():
        bureau = Bureau.objects.filter(code=code).first()
    if bureau is None:
        raise NotFound(_("没有代码为“%(code)s”的单位。") % {"code": code})
    return bureau.ref


def active_bureaus() -> list[TenantRef]:
    """The bureaus of this cell that are at work, by code."""
    from tenants.models import Bureau, State

    with outside_tenants():
        return [bureau.ref for bureau in Bureau.objects.filter(state=State.ACTIVE).order_by("code")]


class CellDirectory:
    """What the layers below may ask (`saas.core.tenancy.Directory`)."""

    def active(self) -> list[TenantRef]:
        """The bureaus of this cell that are at work."""
        return active_bureaus()

    @contextmanager
    def activate(self, schema: str) -> Iterator[TenantRef]:
        """Work for the bureau of that schema inside the block.

        Raises:
            NoTenant: no bureau of this cell has that schema, or it is not at work.
        """
        from tenants.models import Bureau, State

        with outside_tenants():
            bureau = Bureau.objects.filter(schema_name=schema, state=State.ACTIVE).first()
        if bureau is None:
            message = f"no active bureau has the schema {schema!r}"
            raise NoTenant(message)
        with use_tenant(bureau) as ref:
            yield ref

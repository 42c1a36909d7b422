"""How a new bureau gets its first administrators: the layer above, which knows accounts, registers it here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from saas.core.access import Role
from saas.core.actors import Actor


class Maker(Protocol):
    """Makes one administrator for each role from an encoded password hash, in the current transaction."""

    def __call__(self, *, hashes: Mapping[Role, str], by: Actor) -> object:
        """Make them."""


_makers: list[Maker] = []


def register(maker: Maker) -> None:
    """Name the one function that makes accounts; called from `AppConfig.ready()`."""
    _makers[:] = [maker]


def create(*, hashes: Mapping[Role, str], by: Actor) -> None:
    """Make the first administrators of the current tenant.

    Raises:
        RuntimeError: nobody registered: a bureau no one can enter must not look ready.
    """
    if not _makers:
        message = "nothing makes accounts in this process"
        raise RuntimeError(message)
    for maker in _makers:
        maker(hashes=hashes, by=by)

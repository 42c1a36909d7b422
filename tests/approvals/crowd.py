"""Many at the same moment, each on a connection of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection

from saas.core.tenancy import TenantRef
from tenants.context import use_tenant


def at_once(count: int, press: Callable[[int], object], *, bureau: TenantRef | None = None) -> list[object]:
    """What each of `count` threads got, a raised error included; all start together, each on its own connection."""
    together = threading.Barrier(count)
    got: list[object] = [None] * count

    def client(number: int) -> None:
        try:
            together.wait()
            if bureau is None:
                got[number] = press(number)
            else:
                with use_tenant(bureau):
                    got[number] = press(number)
        except Exception as error:  # the assertions read it
            got[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got

"""What the tests of tenancy share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections


@pytest.fixture
def outside(django_db_blocker: Any) -> Iterator[None]:
    """Connections as a web process has them: no transaction round the test, no bureau active."""
    with django_db_blocker.unblock():
        connection.close()
        yield
        connections.close_all()

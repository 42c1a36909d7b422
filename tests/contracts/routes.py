"""Prints one zone's routes as JSON: a process belongs to one zone, so each zone is asked in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Route:
    """A URL pattern and what its view declares."""

    pattern: str
    name: str
    permission: str | None
    zones: list[str] | None


def walk(patterns: Sequence[object], prefix: str = "") -> Iterator[Route]:
    """Every route below `patterns`."""
    from django.urls import URLPattern, URLResolver

    for item in patterns:
        if isinstance(item, URLResolver):
            yield from walk(item.url_patterns, prefix + str(item.pattern))
        elif isinstance(item, URLPattern):
            permission = getattr(item.callback, "permission", None)
            zones = getattr(item.callback, "zones", None)
            yield Route(
                pattern=prefix + str(item.pattern),
                name=item.lookup_str if item.name is None else item.name,
                permission=None if permission is None else str(permission),
                zones=None if zones is None else sorted(zones),
            )


def undeclared(routes: list[Route], zone: str) -> list[str]:
    """Routes that do not say who may use them, or are served in a zone they do not name."""
    return [
        f"{route.pattern}: {'no permission' if route.permission is None else 'not for this zone'}"
        for route in routes
        if route.permission is None or zone not in (route.zones or [])
    ]


def main() -> None:
    """Print the routes of ZONE."""
    import django
    from django.urls import get_resolver

    django.setup()
    routes = list(walk(get_resolver().url_patterns))
    json.dump([asdict(route) for route in routes], sys.stdout)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
    main()

"""Every route declares its permission and the zones it is served in."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.contracts.routes import Route, undeclared
from tests.contracts.source import ROOT


def routes_of(zone: str) -> list[Route]:
    result = subprocess.run(
        [sys.executable, "-m", "tests.contracts.routes"],
        cwd=ROOT,
        env={**os.environ, "ZONE": zone, "DJANGO_SETTINGS_MODULE": "saas.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return [Route(**item) for item in json.loads(result.stdout)]


@pytest.mark.parametrize("zone", ["intranet", "extranet", "management"])
def test_every_route_declares_permission_and_zone(zone: str) -> None:
    routes = routes_of(zone)
    assert routes
    assert undeclared(routes, zone) == []


def test_a_route_without_permission_is_found() -> None:
    bare = Route(pattern="x/", name="x", permission=None, zones=None)
    elsewhere = Route(pattern="y/", name="y", permission="staff", zones=["extranet"])
    assert len(undeclared([bare, elsewhere], "intranet")) == 2


def test_no_office_route_is_served_outside_the_intranet() -> None:
    for zone in ("extranet", "management"):
        assert not [route.pattern for route in routes_of(zone) if route.permission == "staff"]

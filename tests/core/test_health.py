"""Health and metrics: right, bounded, and silent about bureaus' matters."""

from __future__ import annotations

import pytest
from django.db import DatabaseError
from django.test import Client
from prometheus_client import REGISTRY, generate_latest

from monitoring.cell import CellCollector
from saas.core import health
from saas.core.tenancy import TenantRef


@pytest.mark.django_db
def test_health_answers_at_any_host_without_a_session() -> None:
    answer = Client(headers={"host": "10.0.0.7:8000"}).get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert not answer.cookies


@pytest.mark.django_db
def test_health_notices_a_broken_database(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def cursor(self) -> None:
            raise DatabaseError

        def close(self) -> None:
            return None

    monkeypatch.setattr(health, "connection", Broken())
    assert Client().get("/healthz").status_code == 503


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_not_by_address(alpha: TenantRef) -> None:
    client = Client(headers={"host": "alpha.localhost"})
    for word in ("canary-one", "canary-two"):
        client.get(f"/{word}/")
    text = generate_latest(REGISTRY).decode()
    assert "canary" not in text
    assert 'route="unknown"' in text


@pytest.mark.django_db
def test_the_cells_figures_name_bureaus_by_code_and_nothing_else(alpha: TenantRef, beta: TenantRef) -> None:
    families = {family.name: family for family in CellCollector().collect()}
    assert families["yunshu_part_up"].samples[0].value == 1
    bureaus = {sample.labels["bureau"] for sample in families["yunshu_todos_open"].samples}
    assert {"alpha", "beta"} <= bureaus
    assert sum(sample.value for sample in families["yunshu_bureaus"].samples) >= 2

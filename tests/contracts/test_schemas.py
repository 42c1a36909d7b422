"""What the database itself must show: schemas stand alone, and weigh little."""

from __future__ import annotations

import pytest
from django.db import connection

from saas.core.tenancy import TenantRef
from tenants.context import outside_tenants

MOST_TABLES = 60
MOST_INDEXES = 250

CROSSING = """
SELECT c.conrelid::regclass::text, c.confrelid::regclass::text FROM pg_constraint c
JOIN pg_class a ON a.oid = c.conrelid JOIN pg_class b ON b.oid = c.confrelid
WHERE c.contype = 'f' AND a.relnamespace <> b.relnamespace
"""


def crossing_keys() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(CROSSING)
        return list(cursor.fetchall())


@pytest.mark.django_db
def test_no_foreign_key_leaves_its_schema() -> None:
    with outside_tenants():
        assert crossing_keys() == []


@pytest.mark.django_db
def test_permissions_and_content_types_have_no_table_anywhere() -> None:
    with outside_tenants(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relname LIKE 'auth\\_%' OR c.relname = 'django_content_type'"
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
def test_a_bureau_weighs_little(alpha: TenantRef) -> None:
    with outside_tenants(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relkind::text, count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s GROUP BY 1",
            [alpha.schema],
        )
        counts = dict(cursor.fetchall())
    assert counts["r"] < MOST_TABLES
    assert counts["i"] < MOST_INDEXES

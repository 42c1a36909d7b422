"""Every cache key, file and job of a bureau carries its name, and no log line a secret; each rule with its breach."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client

from saas.core import logs
from saas.core.jobs import enqueue
from saas.core.jobs.registry import JOBS
from saas.core.storage import store
from saas.core.tenancy import TenantRef
from tenants.context import outside_tenants
from tests.accounts.conftest import browser_at, make_account, sign_in
from tests.contracts import source, tenancy
from tests.core.test_logs import written

SAMPLE = Path("sample.py")
# Jobs of this product; what tests register beside them is not meant.
PRODUCT = ("saas.", "tenants.", "billing.", "monitoring.")


def cache_keys() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM core_cache ORDER BY 1", [])
        return [row[0] for row in cursor.fetchall()]


def test_every_cache_key_carries_zone_and_tenant(in_alpha: TenantRef) -> None:
    make_account("lijianguo")
    client: Client = browser_at(in_alpha)
    sign_in(client, "lijianguo", "wrong")
    sign_in(client, "lijianguo")
    cache.set("own", 1)
    keys = cache_keys()
    assert len(keys) >= 2
    assert tenancy.keys_without_tenant(keys, in_alpha, zone="intranet") == []
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO core_cache (cache_key, value, expires) VALUES (%s, '1', now())", ["bare"])
    assert tenancy.keys_without_tenant(cache_keys(), in_alpha, zone="intranet") == ["bare"]
    assert {one["KEY_FUNCTION"] for one in settings.CACHES.values()} == {"saas.core.cache.tenant_key"}


def test_every_file_lies_below_its_tenant(in_alpha: TenantRef, beta: TenantRef) -> None:
    name = store(name_prefix="documents/files", stream=b"x", content_type="text/plain").name
    assert tenancy.names_without_tenant([name], in_alpha) == []
    for breach in (name.removeprefix(f"{in_alpha.schema}/"), name.replace(in_alpha.schema, beta.schema), f"/{name}"):
        assert tenancy.names_without_tenant([breach], in_alpha) == [breach]


def test_every_job_carries_its_tenant(in_alpha: TenantRef, beta: TenantRef) -> None:
    for name, job in JOBS.items():
        if name.startswith("saas."):
            enqueue(job.function, _tenant=beta.schema)
    with outside_tenants(), connection.cursor() as cursor:
        cursor.execute("SELECT tenant, args::text FROM cell.procrastinate_jobs WHERE id > %s", [0])
        jobs = [(row[0], json.loads(row[1])) for row in cursor.fetchall()]
    assert [job for job in jobs if job[0] == in_alpha.schema]
    assert tenancy.jobs_without_tenant(jobs) == []
    assert tenancy.jobs_without_tenant([("", {})])
    assert tenancy.jobs_without_tenant([(in_alpha.schema, {"_tenant": beta.schema})])
    with outside_tenants():
        for tenant in (None, ""):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT cell.insert_job(%s, 'q', 't', '', '{}'::jsonb, NULL)", [tenant])


def test_jobs_are_given_ids_and_never_contents() -> None:
    found = [job.function for name, job in JOBS.items() if name.startswith(PRODUCT)]
    assert len(found) > 5
    assert [wrong for function in found for wrong in tenancy.arguments_that_could_be_contents(function)] == []

    def whole(document: dict[str, str]) -> None: ...
    def text(*, body: str) -> None: ...
    def by_id(*, document_id: str, attempt: int) -> None: ...

    assert tenancy.arguments_that_could_be_contents(whole)
    assert tenancy.arguments_that_could_be_contents(text)
    assert not tenancy.arguments_that_could_be_contents(by_id)


def test_nobody_goes_round_the_one_way_to_cache_files_and_jobs() -> None:
    assert source.gather(source.product_python(), tenancy.goes_round) == []
    assert tenancy.goes_round(SAMPLE, "from saas.core.storage.backends import backend")
    assert tenancy.goes_round(SAMPLE, "backend().put('x', y)")
    assert tenancy.goes_round(SAMPLE, "cursor.execute('SELECT cell.insert_job(%s)', [x])")
    assert tenancy.goes_round(SAMPLE, "import procrastinate")
    assert tenancy.goes_round(SAMPLE, "cursor.execute('DELETE FROM core_cache')")
    assert not tenancy.goes_round(SAMPLE, '"""Speaks of procrastinate and core_cache."""')


def test_what_a_process_keeps_for_all_bureaus_comes_from_none_of_them() -> None:
    assert source.gather(source.product_python(), tenancy.process_wide_reads) == []
    assert tenancy.process_wide_reads(SAMPLE, "@lru_cache(maxsize=8)\ndef f(): return Unit.objects.all()")
    assert tenancy.process_wide_reads(SAMPLE, "@functools.cache\ndef f():\n  with connection.cursor() as c: pass")
    assert not tenancy.process_wide_reads(SAMPLE, "def f(): return Unit.objects.all()")


def test_no_log_call_is_given_a_secret() -> None:
    assert source.gather(source.product_python(), tenancy.secrets_logged) == []
    assert tenancy.secrets_logged(SAMPLE, "logger.info('x %s', user.password)")
    assert tenancy.secrets_logged(SAMPLE, "logger.warning('x', extra={'given': form['token']})")
    assert tenancy.secrets_logged(SAMPLE, "logger.info(f'signed in {name}')")
    assert tenancy.secrets_logged(SAMPLE, "logger.error('x %s', str(secret))")
    assert not tenancy.secrets_logged(SAMPLE, "logger.error('password changed for %s', user.id)")


def test_every_handler_names_the_tenant_and_takes_secrets_out() -> None:
    assert tenancy.handlers_without_filters(settings.LOGGING) == []
    assert tenancy.handlers_without_filters({"handlers": {"bare": {"class": "logging.StreamHandler"}}}) == ["bare"]
    assert {logging.getLogger(name).propagate for name in ("django", "procrastinate", "saas", "tenants")} == {True}


def test_an_error_of_the_database_is_logged_without_the_row_it_quotes(in_alpha: TenantRef) -> None:
    quoted, insert = "鹦鹉canary", "INSERT INTO core_cache (cache_key, value, expires) VALUES (%s, %s, NULL)"
    with pytest.raises(DatabaseError, match=quoted) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(insert, ["k", quoted])
    outer = RuntimeError("the act was not done")
    outer.__cause__ = caught.value
    line = json.dumps(written("failed: %s", caught.value, exc_info=outer), ensure_ascii=False)
    assert quoted not in line
    for part in ("core_cache", "NotNullViolation", "the act was not done", "test_tenancy_names"):
        assert part in line
    assert logs.without_rows("a\nb\nDETAIL:  c\nHINT: d") == "a\nb"

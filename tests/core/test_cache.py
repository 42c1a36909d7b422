"""The cache: each tenant's own, JSON only, right under concurrency."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from saas.core.cache import hit, purge, tenant_key
from saas.core.tenancy import NoTenant, TenantRef
from tenants.context import outside_tenants, use_tenant


def test_a_value_stays_with_its_tenant(in_alpha: TenantRef, beta: TenantRef) -> None:
    cache.set("canary", ["甲", 1])
    assert cache.get("canary") == ["甲", 1]
    with use_tenant(beta):
        assert cache.get("canary") is None
        cache.set("canary", "乙")
    assert cache.get("canary") == ["甲", 1]


def test_every_key_carries_zone_and_tenant(in_alpha: TenantRef) -> None:
    assert tenant_key("k", "", 1) == f"intranet:{in_alpha.schema}::1:k"
    cache.set("k", 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM core_cache WHERE cache_key LIKE %s", ["%:k"])
        assert cursor.fetchall() == [(f"intranet:{in_alpha.schema}::1:k",)]


def test_nothing_is_cached_for_nobody(db: None) -> None:
    with outside_tenants(), pytest.raises(NoTenant):
        cache.set("k", 1)


def test_values_expire_and_are_taken_out(in_alpha: TenantRef) -> None:
    cache.set("short", 1, timeout=-1)
    cache.set("long", 2, timeout=None)
    assert cache.get("short", "gone") == "gone"
    assert cache.get_many(["short", "long"]) == {"long": 2}
    purge()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_cache WHERE cache_key LIKE %s", ["%:short"])
        assert cursor.fetchone() == (0,)


def test_add_is_won_once(in_alpha: TenantRef) -> None:
    assert [cache.add("k", 1), cache.add("k", 2)] == [True, False]
    assert cache.get("k") == 1
    cache.set("k", 1, timeout=-1)
    assert cache.add("k", 3)
    assert cache.delete("k")
    assert not cache.delete("k")


def test_touch_has_key_and_clear(in_alpha: TenantRef) -> None:
    cache.set("k", 1, timeout=5)
    assert cache.touch("k", 50)
    assert "k" in cache
    assert not cache.touch("absent", 50)
    cache.clear()
    assert "k" not in cache


def test_only_json_is_kept(in_alpha: TenantRef) -> None:
    with pytest.raises(TypeError):
        cache.set("k", object())


def test_hits_count_within_their_window(in_alpha: TenantRef) -> None:
    minute = timedelta(minutes=1)
    assert [hit("x", window=minute) for _time in range(3)] == [1, 2, 3]
    assert hit("y", window=minute) == 1
    assert [hit("past", window=timedelta(0)) for _time in range(2)] == [1, 1]


@pytest.mark.django_db(transaction=False)
def test_concurrent_hits_never_read_the_same_number(alpha: TenantRef, django_db_blocker: Any) -> None:
    key, counts, lock = f"race-{threading.get_ident()}", [], threading.Lock()

    def work() -> None:
        with django_db_blocker.unblock():
            try:
                with use_tenant(alpha):
                    for _time in range(10):
                        count = hit(key, window=timedelta(minutes=5))
                        with lock:
                            counts.append(count)
            finally:
                connection.close()

    threads = [threading.Thread(target=work) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, 81))

"""Files that no row names go after a day, recorded and counted; every other file stays."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from saas.core import storage
from saas.core.audit.models import AuditRecord
from saas.core.metrics import FILES_SWEPT
from saas.core.storage import StoredObject, sweep
from saas.core.storage.jobs import sweep_files
from saas.core.tenancy import TenantRef
from saas.env import env
from tenants.context import use_tenant

PREFIX = "sweep-test/files"


def keep(prefix: str = PREFIX) -> StoredObject:
    return storage.store(name_prefix=prefix, stream=b"some bytes", content_type="text/plain")


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that some row holds, as far as the sweep can tell; other tests' files are not looked at."""
    names: set[str] = set()
    monkeypatch.setattr(sweep, "_OWNERS", {})
    sweep.claim(PREFIX, names.intersection)
    return names


def test_an_unnamed_file_goes_and_a_named_one_stays(in_alpha: TenantRef, named: set[str]) -> None:
    kept, lost, unclaimed, below = keep(), keep(), keep("sweep-unclaimed"), keep(f"{PREFIX}/below")
    named.add(kept.name)
    counted = FILES_SWEPT._value.get()
    swept = sweep.sweep(before=timezone.now() + timedelta(minutes=1))
    assert swept.files == 1
    assert {item.name: storage.exists(item.name) for item in (kept, lost, unclaimed, below)} == {
        kept.name: True,
        lost.name: False,
        unclaimed.name: True,
        below.name: True,
    }
    assert FILES_SWEPT._value.get() == counted + 1
    told = AuditRecord.objects.get(event="file.swept")
    assert told.detail["names"] == [lost.name.partition("/")[2]]
    assert sweep.sweep(before=timezone.now() + timedelta(minutes=1)).files == 0
    for item in (kept, unclaimed, below):
        storage.delete(item.name)


def test_a_file_younger_than_a_day_is_left_to_the_act_that_stored_it(in_alpha: TenantRef, named: set[str]) -> None:
    young, old = keep(), keep()
    yesterday = time.time() - 25 * 3600
    os.utime(env.files_root / old.name, (yesterday, yesterday))
    sweep_files()
    assert (storage.exists(young.name), storage.exists(old.name)) == (True, False)
    storage.delete(young.name)


def test_a_sweep_stays_in_its_bureau(in_alpha: TenantRef, beta: TenantRef, named: set[str]) -> None:
    with use_tenant(beta):
        theirs = keep()
    sweep.sweep(before=timezone.now() + timedelta(minutes=1))
    with use_tenant(beta):
        assert storage.exists(theirs.name)
        storage.delete(theirs.name)


def test_every_place_that_stores_files_is_swept(in_alpha: TenantRef) -> None:
    assert set(sweep._OWNERS) >= {
        "archive",
        "deliveries",
        "documents/files",
        "documents/incoming",
        "documents/pdf",
        "documents/sealed",
        "organisation/imports",
    }

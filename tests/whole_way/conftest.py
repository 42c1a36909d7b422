"""Two bureaus of their own whose acts really commit, and the cell's sealer at work beside them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pytest_django.plugin import DjangoDbBlocker

from saas.core.tenancy import TenantRef
from saas.portal.demo.cast import FGJ, JXJ, BureauPlan
from tests.bureaus import create_bureau

PASSWORD = "a-demo-password-2026"


@dataclass(frozen=True)
class Town:
    """A sender and a receiver, set up, with a way to run what they leave to jobs."""

    sender: TenantRef
    receiver: TenantRef
    sender_plan: BureauPlan
    receiver_plan: BureauPlan
    settle: Callable[[], int]


@pytest.fixture(scope="module")
def sealer(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The audit sealer, as the agent runs it."""
    from saas.core.audit.sealer import Sealer

    stop = threading.Event()
    with django_db_blocker.unblock():
        thread = threading.Thread(target=Sealer().run, args=(stop,))
        thread.start()
        yield
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def town(sealer: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Town]:
    """Made once a module; a run's database is thrown away at its end."""
    from saas.portal.demo import stage
    from tenants.context import use_tenant
    from tests.conftest import drain_jobs

    with django_db_blocker.unblock():
        mark = uuid.uuid4().hex[:6]
        sender = create_bureau(code=f"jx{mark}", name=JXJ.name)
        receiver = create_bureau(code=f"fg{mark}", name=FGJ.name)
        for ref, plan in ((sender, JXJ), (receiver, FGJ)):
            with use_tenant(ref):
                stage.set_up(plan, password=PASSWORD)
        drain_jobs()
        yield Town(sender, receiver, JXJ, FGJ, drain_jobs)

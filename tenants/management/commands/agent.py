"""``manage.py agent``: the process of a cell that obeys management and seals the audit trail."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from saas.core import metrics
from saas.core.audit.sealer import Sealer
from tenants.agent.loop import Agent


class Command(BaseCommand):
    help = "Carry out management's signed commands, tell facts back and seal the audit trail, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_received: stop.set())
        metrics.serve()
        sealer = threading.Thread(target=Sealer().run, args=(stop,), name="audit-sealer")
        sealer.start()
        Agent().run(stop)
        sealer.join()

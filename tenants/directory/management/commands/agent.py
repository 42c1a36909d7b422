"""``manage.py agent`` in the management zone: it has no cell to obey, only its own trail to seal."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from saas.core.audit.sealer import Sealer


class Command(BaseCommand):
    help = "Seal management's own audit trail until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_received: stop.set())
        Sealer().run(stop)

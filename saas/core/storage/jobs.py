"""What storage does by the clock."""

from __future__ import annotations

from datetime import timedelta

from saas.core.jobs import periodic
from saas.core.storage.sweep import sweep


@periodic(every=timedelta(hours=24), attempts=3)
def sweep_files() -> None:
    """Remove the bureau's files that no row names."""
    sweep()

"""Background jobs: they live in the database and commit together with the change that asks for them."""

from saas.core.jobs.registry import job, periodic
from saas.core.jobs.services import enqueue

__all__ = ["enqueue", "job", "periodic"]

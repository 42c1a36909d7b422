"""Which functions may run as jobs, how often they are tried, and which run by the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

JobFunction = Callable[..., None]

DEFAULT_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Job:
    """A registered function with its limits."""

    name: str
    function: JobFunction
    queue: str
    attempts: int

    def pause(self, attempts_made: int) -> timedelta:
        """How long to wait before the next try: doubling, at most ten minutes."""
        doubled: timedelta = FIRST_PAUSE * 2**attempts_made
        return min(doubled, LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job that is enqueued for every active tenant each `every`."""

    job: Job
    every: timedelta


JOBS: dict[str, Job] = {}
PERIODIC: dict[str, Periodic] = {}


def _name(function: JobFunction) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def job(*, queue: str = "default", attempts: int = DEFAULT_ATTEMPTS) -> Callable[[JobFunction], JobFunction]:
    """Register a function as a job.

    Args:
        queue: name of the queue; a worker serves all queues unless told otherwise.
        attempts: tries in all before the job counts as failed and waits for a person.

    The function takes keyword arguments that JSON can carry and must be safe to run twice: a worker may die
    between doing the work and saying so.
    """

    def register(function: JobFunction) -> JobFunction:
        name = _name(function)
        JOBS[name] = Job(name=name, function=function, queue=queue, attempts=attempts)
        return function

    return register


def periodic(*, every: timedelta, queue: str = "periodic", attempts: int = 1) -> Callable[[JobFunction], JobFunction]:
    """Register a function without arguments to run once per active tenant each `every`."""

    def register(function: JobFunction) -> JobFunction:
        job(queue=queue, attempts=attempts)(function)
        name = _name(function)
        PERIODIC[name] = Periodic(job=JOBS[name], every=every)
        return function

    return register


def registered(function: JobFunction) -> Job:
    """The registration of `function`.

    Raises:
        LookupError: it was never registered with `job`.
    """
    try:
        return JOBS[_name(function)]
    except KeyError:
        raise LookupError(f"{_name(function)} is not a job") from None

"""`wasi:io/poll` and `wasi:clocks`: waiting, and never past the execution's deadline.

Everything else here is done when it is asked for, so time is the only thing that a guest can wait for.
"""

import time
from collections.abc import Sequence
from math import inf
from typing import Protocol, TypedDict

from msgspec import Struct

from oriel.errors import OrielError
from runner.execution import Execution

NANOSECONDS = 1_000_000_000


class Pollable(Protocol):
    """Something to wait for: when it will be ready, by `time.monotonic`; `inf` for never of itself."""

    def ready_at(self) -> float: ...


class Ready:
    """What need not be waited for."""

    def ready_at(self) -> float:
        return 0.0


class Timer(Struct, frozen=True):
    at: float

    def ready_at(self) -> float:
        return self.at


class Never:
    """What does not become ready by waiting."""

    def ready_at(self) -> float:
        return inf


class Datetime(TypedDict):
    seconds: int
    nanoseconds: int


def poll(execution: Execution, pollables: Sequence[Pollable]) -> list[int]:
    """Wait until one is ready; the places of those that are."""
    if not pollables:
        raise OrielError("guest_trap", "The extension waits for nothing: wasi:io/poll.poll has an empty list.")
    while True:
        times = [pollable.ready_at() for pollable in pollables]
        now = time.monotonic()
        if ready := [place for place, at in enumerate(times) if at <= now]:
            return ready
        _sleep_until(execution, min(times))


def block(execution: Execution, pollable: Pollable) -> None:
    poll(execution, [pollable])


def ready(_execution: Execution, pollable: Pollable) -> bool:
    return pollable.ready_at() <= time.monotonic()


def _sleep_until(execution: Execution, at: float) -> None:
    """`deadline_exceeded` at the deadline, where that comes first."""
    time.sleep(max(0.0, min(at, execution.deadline) - time.monotonic()))
    execution.check_deadline()


def monotonic_now(_execution: Execution) -> int:
    return time.monotonic_ns()


def monotonic_resolution(_execution: Execution) -> int:
    return 1


def subscribe_instant(_execution: Execution, when: int) -> Pollable:
    return Timer(when / NANOSECONDS)


def subscribe_duration(_execution: Execution, when: int) -> Pollable:
    return Timer(time.monotonic() + when / NANOSECONDS)


def wall_now(_execution: Execution) -> Datetime:
    seconds, nanoseconds = divmod(time.time_ns(), NANOSECONDS)
    return {"seconds": seconds, "nanoseconds": nanoseconds}


def wall_resolution(_execution: Execution) -> Datetime:
    return {"seconds": 0, "nanoseconds": 1}

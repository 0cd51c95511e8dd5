"""How things are measured: in turns, so that a machine that slows down slows every side alike."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Work = Callable[[], object]


class Result(NamedTuple):
    """One figure. `name` is stable; `unit` is `ms`, `1/s`, `ratio`, `B`, `MB`, `GB`, `count`, `USD`."""

    name: str
    value: float
    unit: str


def in_turns(works: Mapping[str, Work], *, rounds: int, warm_up: int = 5, in_a_row: int = 1) -> dict[str, list[float]]:
    """Milliseconds of each work.

    Args:
        rounds: of all works, each in its turn.
        in_a_row: how often a work is done in its turn. Sides that fill the CPU's caches with other code do not slow
            each other down then, as they would not in production. The first of a row is not counted.
    """
    for work in works.values():
        for _ in range(warm_up):
            work()
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times = [_milliseconds(work) for _ in range(in_a_row)]
            taken[name] += times[1:] or times
    return taken


def _milliseconds(work: Work) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of 100 do not pass."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]

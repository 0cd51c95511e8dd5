"""Where instances get their memory: the pool of one that every lane has, beside memory mapped for each execution.

Executions a second of a fresh instance through `Runner.execute`: at one, two and four threads of one process, and in
two processes of one thread. `docs/decisions/0001-pooling-allocator.md` says what followed from it.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks import guests
from benchmarks.deployment import deployed
from benchmarks.measure import Result, median
from benchmarks.workers import ON_DEMAND, rate, two_workers

SIDES = {"pool": "oriel", "on_demand": ON_DEMAND}
SHAPES = (("one_thread", 1, 1), ("two_threads", 1, 2), ("four_threads", 1, 4), ("two_processes", 2, 1))
SECONDS, ROUNDS = 0.7, 7


def run() -> Iterator[Result]:
    rates: dict[str, list[float]] = {}
    with deployed() as deployment, ExitStack() as opened:
        pairs = {
            f"{guest}.{name}": opened.enter_context(two_workers(side, deployment.data_dir, guest))
            for guest in (guests.JAVASCRIPT, guests.PYTHON)
            for name, side in SIDES.items()
        }
        for _ in range(ROUNDS):
            for name, pair in pairs.items():
                for shape, processes, threads in SHAPES:
                    taken = rate(pair[:processes], threads, SECONDS)
                    rates.setdefault(f"{name}.{shape}", []).append(taken)
    for name, values in rates.items():
        yield Result(f"allocator.{name}.rps", median(values), "1/s")

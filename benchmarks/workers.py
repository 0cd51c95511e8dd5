"""Throughput: processes that run one request over and over, in one thread or several, when they are told to.

    python -m benchmarks.workers oriel|stock|on-demand DATA_DIR GUEST

A worker makes itself ready, says `ready`, and for every line `SECONDS THREADS` on its standard input answers with the
number of requests it finished in that time. It ends with its input. `on-demand` is Oriel without its pool of memory.
"""

import importlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import guests
from benchmarks.deployment import Deployment
from benchmarks.sides import Bare, Oriel, Work
from oriel.engine.config import new_engine

ON_DEMAND = "on-demand"
READY = "ready"
HELLO_BODY = b'{"message":"hello"}'


class Worker:
    """The other end of one worker process."""

    def __init__(self, side: str, data_dir: Path, guest: str) -> None:
        command = [sys.executable, "-m", "benchmarks.workers", side, str(data_dir), guest]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=guests.ROOT
        )
        self._read()  # it is ready

    def begin(self, seconds: float, threads: int) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(f"{seconds} {threads}\n")
            self._process.stdin.flush()

    def finished(self) -> int:
        """The requests since `begin`; waits until the time is up."""
        return int(self._read())

    def close(self) -> None:
        self._process.communicate()

    def _read(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise RuntimeError("a worker ended too soon; what it said is above")
        return line.strip()


@contextmanager
def two_workers(side: str, data_dir: Path, guest: str = guests.JAVASCRIPT) -> Iterator[tuple[Worker, Worker]]:
    """Two processes of a side, ready."""
    with ExitStack() as opened:
        workers = []
        for _ in range(2):
            workers.append(Worker(side, data_dir, guest))
            opened.callback(workers[-1].close)
        yield workers[0], workers[1]


def rate(workers: Sequence[Worker], threads: int, seconds: float) -> float:
    """Requests a second of all workers together."""
    for worker in workers:
        worker.begin(seconds, threads)
    return sum(worker.finished() for worker in workers) / seconds


def _repeat(work: Work, until: float, counts: list[int]) -> None:
    done = 0
    while time.monotonic() < until:
        work()
        done += 1
    counts.append(done)


def _count(work: Work, seconds: float, threads: int) -> int:
    counts: list[int] = []
    until = time.monotonic() + seconds
    running = [threading.Thread(target=_repeat, args=(work, until, counts)) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if len(counts) < threads:
        raise RuntimeError("a thread failed")
    return sum(counts)


def _serve(work: Work) -> None:
    for _ in range(20):
        work()
    print(READY, flush=True)
    for line in sys.stdin:
        seconds, threads = line.split()
        print(_count(work, float(seconds), int(threads)), flush=True)


class _Unmeasured:
    """In place of a `GuestMemory`: what is mapped anew for each execution lies somewhere else each time."""

    def __init__(self, _engine: object) -> None:
        pass

    def size(self, _limit: int) -> int:
        return 0


def _allocate_on_demand() -> None:
    """Take the pool from the lanes that are made from now on, which the runner itself has no setting for."""
    lane: Any = importlib.import_module("runner.lane")
    lane.config.new_engine = lambda *, fuel, pooled: new_engine(fuel=fuel)
    lane.GuestMemory = _Unmeasured


def main(side: str, data_dir: str, guest: str) -> None:
    deployment = Deployment.at(Path(data_dir))
    request = deployment.request(guest)
    if side == "stock":
        _serve(Bare(deployment).work(guest, request, HELLO_BODY))
        return
    if side == ON_DEMAND:
        _allocate_on_demand()
    with ExitStack() as opened:
        runner = deployment.runner()
        opened.callback(runner.close)
        _serve(Oriel(deployment, runner).work(request, HELLO_BODY))


if __name__ == "__main__":
    main(*sys.argv[1:])

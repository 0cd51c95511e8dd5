"""A worker is killed: how long until another one serves in its place.

The supervisor with real workers, as the platform starts them. The time runs from the kill until every worker serves; in
between the others answer.
"""

import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Result, median
from benchmarks.processes import environment
from oriel.keyring import Keyring
from oriel.settings import Settings
from runner.supervisor import POLL_SECONDS, WorkerPool

KILLS, WORKERS = 11, 2
COMMAND = (sys.executable, "-m", "runner")


def run() -> Iterator[Result]:
    with (
        tempfile.TemporaryDirectory(prefix="oriel-recovery-") as folder,
        socket.create_server(("127.0.0.1", 0)) as bound,
    ):
        settings = Settings.load(data_dir=Path(folder), log_level="error")
        Keyring.open(settings.keyring_path, create=True)
        variables = environment(**settings.environment())
        with WorkerPool(
            WORKERS, COMMAND, bound, slots=settings.runner_threads, env=variables, on_death=lambda _: None
        ) as workers:
            workers.wait_ready()
            taken = [_replaced(workers) for _ in range(KILLS)]
    yield Result("recovery.replaced_ms", median(taken), "ms")
    yield Result("recovery.replaced_worst_ms", max(taken), "ms")


def _replaced(workers: WorkerPool) -> float:
    """Milliseconds from the end of one worker until as many as before serve."""
    killed = workers.pids()[0]
    began = time.perf_counter()
    os.kill(killed, signal.SIGKILL)
    while killed in workers.pids():
        time.sleep(POLL_SECONDS)
    workers.wait_ready()
    return (time.perf_counter() - began) * 1000

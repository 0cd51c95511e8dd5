"""Workers of one machine: processes that share one listening socket, kept alive.

A panic of the engine ends its process, so guests run in processes whose end costs only the requests inside them.

Rules kept here:

- A worker that ends is replaced within a second. One that ends before it was ready is not the guests' doing: its
  place is filled again after a pause that grows with every failure.
- Each end is told once, with the executions that were inside (`Death`). Whoever is told decides what follows.
- No orphans: a worker stops when the supervisor closes the pipe it holds, and the kernel closes it with the
  supervisor's own end, however that comes.
"""

import logging
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from msgspec import Struct

from oriel.errors import OrielError
from oriel.metrics import WorkerState
from runner.board import Board, Inside

_log = logging.getLogger(__name__)

PACE_SECONDS = 0.3  # between two starts in one place, where the first one had become ready
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # after a start that failed
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02


class Death(Struct, frozen=True):
    """The end of a worker that was not told to stop.

    Attributes:
        returncode: as `subprocess` has it; negative is a signal's number.
        ready: whether it ever served.
        inside: the executions that ended with it.
    """

    pid: int
    returncode: int
    lived_seconds: float
    ready: bool
    inside: tuple[Inside, ...]


def log_death(death: Death) -> None:
    """Write a worker's end to the log."""
    _log.error(
        "a worker ended",
        extra={
            "worker_pid": death.pid,
            "returncode": death.returncode,
            "executions": [inside.execution_id for inside in death.inside],
        },
    )


class WorkerPool:
    """`count` workers on one listening socket. Start it, close it, or use it in a `with`.

    Args:
        command: starts a worker; `--fd`, `--board-fd` and `--life-fd` are appended, each with a number.
        listener: bound and listening; it stays the caller's.
        slots: executions that one worker runs at once, at most.
        env: the workers' whole environment; None is this process's own.
        on_death: told each end, from a thread of the pool.
    """

    def __init__(
        self,
        count: int,
        command: Sequence[str],
        listener: socket.socket,
        *,
        slots: int,
        env: Mapping[str, str] | None = None,
        on_death: Callable[[Death], None] = log_death,
    ) -> None:
        self._command = tuple(command)
        self._listener = listener
        self._slots = slots
        self._env = dict(env) if env is not None else None
        self._on_death = on_death
        self._stopping = threading.Event()
        self._mutex = threading.Lock()
        self._workers: dict[int, _Worker] = {}
        self._life_read, self._life_write = os.pipe()
        self._threads = [
            threading.Thread(target=self._keep, args=(place,), name=f"worker-{place}", daemon=True)
            for place in range(count)
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Return when every worker serves. `OrielError("unavailable")` after `timeout` seconds."""
        limit = time.monotonic() + timeout
        while not self._all_ready():
            if time.monotonic() > limit:
                raise OrielError("unavailable", f"The runner's workers are not ready after {timeout:.0f} seconds.")
            time.sleep(POLL_SECONDS)

    def pids(self) -> tuple[int, ...]:
        """The processes that live now."""
        with self._mutex:
            return tuple(worker.process.pid for worker in self._workers.values())

    def states(self) -> tuple[WorkerState, ...]:
        """What the workers are doing now."""
        with self._mutex:
            return tuple(
                WorkerState(worker.process.pid, len(worker.board.entries()), worker.board.waiting)
                for worker in self._workers.values()
            )

    def close(self) -> None:
        """Stop every worker: those that do not end by themselves in `STOP_SECONDS` are killed."""
        with self._mutex:
            if self._stopping.is_set():
                return
            self._stopping.set()
            os.close(self._life_write)
        limit = time.monotonic() + STOP_SECONDS
        started = [thread for thread in self._threads if thread.ident is not None]
        for thread in started:
            thread.join(max(0.0, limit - time.monotonic()))
        with self._mutex:
            for worker in self._workers.values():
                worker.process.kill()
        for thread in started:
            thread.join()
        os.close(self._life_read)

    def _all_ready(self) -> bool:
        with self._mutex:
            return len(self._workers) == len(self._threads) and all(
                worker.board.ready for worker in self._workers.values()
            )

    def _keep(self, place: int) -> None:
        """Fill one place again and again, until the pool is closed."""
        failures = 0
        while (worker := self._spawn(place)) is not None:
            death = worker.death(worker.process.wait())
            with self._mutex:
                del self._workers[place]
            worker.board.close()
            if self._stopping.is_set():
                return
            with suppress(Exception):  # telling may fail; the place must be filled all the same
                self._on_death(death)
            failures = 0 if death.ready else failures + 1
            self._stopping.wait(_pause(death, failures))

    def _spawn(self, place: int) -> "_Worker | None":
        with self._mutex:
            if self._stopping.is_set():
                return None
            board_fd = Board.create(self._slots)
            try:
                inherited = {"--fd": self._listener.fileno(), "--board-fd": board_fd, "--life-fd": self._life_read}
                options = [text for option, number in inherited.items() for text in (option, str(number))]
                process = subprocess.Popen(  # noqa: S603 - the operator's own command, and no shell
                    [*self._command, *options],
                    stdin=subprocess.DEVNULL,
                    pass_fds=tuple(inherited.values()),
                    env=self._env,
                    start_new_session=True,  # a Ctrl-C in the terminal is the supervisor's to answer
                )
                worker = _Worker(process, Board(board_fd), time.monotonic())
            finally:
                os.close(board_fd)
            self._workers[place] = worker
            return worker


class _Worker(Struct, frozen=True):
    process: subprocess.Popen[bytes]
    board: Board
    started_at: float

    def death(self, returncode: int) -> Death:
        lived = time.monotonic() - self.started_at
        return Death(self.process.pid, returncode, lived, self.board.ready, self.board.entries())


def _pause(death: Death, failures: int) -> float:
    """Seconds until the place is filled again."""
    if failures:
        return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)))
    return max(0.0, PACE_SECONDS - death.lived_seconds)

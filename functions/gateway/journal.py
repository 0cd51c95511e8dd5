"""The execution log, written beside the request path.

Rules kept here:

- `record` never waits and never fails: entries go into a bounded queue, and a thread of its own writes them in
  batches. It waits a moment for more to come, so that many executions cost one transaction.
- Observers see each batch once, before it is written, in that thread: what they do costs no request.
- Where the store does not answer, a batch is tried again until it does; meanwhile the queue fills, and what no longer
  fits is dropped and counted. Writing a batch twice does no harm: the store counts an execution id once.
- `close` writes what is queued, for a bounded time.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from oriel.store.records import Execution, StoredFixture

MAX_QUEUED = 10_000
MAX_QUEUED_LOG_BYTES = 64_000_000
BATCH = 200
LINGER_SECONDS = 0.2
RETRY_SECONDS = 0.5
CLOSE_SECONDS = 5.0

_log = logging.getLogger(__name__)


class ExecutionSink(Protocol):
    """The part of `oriel.store.Store` that the journal writes."""

    def record_executions(self, executions: Sequence[Execution]) -> None: ...
    def put_fixture(self, fixture: StoredFixture) -> None: ...


Observer: TypeAlias = Callable[[Sequence[Execution]], None]


class Journal:
    """A queue of log entries and the thread that writes them. Close it.

    Args:
        observers: shown every batch; what one raises is logged and harms nobody.
        linger_seconds: how long the first entry of a batch waits for others.
    """

    def __init__(
        self,
        sink: ExecutionSink,
        *,
        observers: Sequence[Observer] = (),
        linger_seconds: float = LINGER_SECONDS,
        max_queued: int = MAX_QUEUED,
        max_queued_log_bytes: int = MAX_QUEUED_LOG_BYTES,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._sink = sink
        self._max_queued, self._max_log_bytes = max_queued, max_queued_log_bytes
        self._observers, self._linger_seconds = tuple(observers), linger_seconds
        self._retry_seconds = retry_seconds
        self._changed = threading.Condition()
        self._queue: deque[_Queued] = deque()
        self._log_bytes = 0
        self._writing = 0
        self._closing = False
        self._flushing = 0
        self._stop = threading.Event()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="gateway-journal", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many entries were lost: the queue was full, or the store away until the end."""
        return self._dropped

    def record(self, execution: Execution, fixture: StoredFixture | None = None) -> None:
        """Queue one entry, with what was kept of the execution."""
        queued = _Queued(execution, fixture)
        size = queued.size
        with self._changed:
            full = len(self._queue) >= self._max_queued or self._log_bytes + size > self._max_log_bytes
            if full or self._closing:
                self._dropped += 1
                return
            self._queue.append(queued)
            self._log_bytes += size
            if len(self._queue) in {1, BATCH}:  # the writer sleeps until there is one, and then until it has enough
                self._changed.notify_all()

    def flush(self, timeout: float = CLOSE_SECONDS) -> bool:
        """Wait until all that is queued is written; whether it was, within `timeout` seconds."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._queue and not self._writing, timeout)
            finally:
                self._flushing -= 1

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        """Write what is queued, for at most `timeout` seconds, and end. Calling it again does nothing."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if not self.flush(timeout):
            _log.error("the execution log was not written to its end", extra={"lost": len(self._queue) + self._writing})
        self._stop.set()
        self._thread.join(max(0.1, deadline - time.monotonic()))

    def _run(self) -> None:
        while batch := self._next_batch():
            self._show([queued.execution for queued in batch])
            self._write(batch)
            with self._changed:
                self._writing = 0
                self._changed.notify_all()

    def _next_batch(self) -> list["_Queued"]:
        """The next entries; none where the journal is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            self._changed.wait_for(self._has_waited_enough, self._linger_seconds)
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._log_bytes -= sum(queued.size for queued in batch)
            self._writing = len(batch)
            return batch

    def _has_waited_enough(self) -> bool:
        return len(self._queue) >= BATCH or self._closing or self._flushing > 0

    def _show(self, batch: list[Execution]) -> None:
        for observe in self._observers:
            try:
                observe(batch)
            except Exception:
                _log.exception("an observer of executions failed")

    def _write(self, batch: list["_Queued"]) -> None:
        while not self._stop.is_set():
            try:
                self._sink.record_executions([queued.execution for queued in batch])
                for queued in batch:
                    if queued.fixture is not None:
                        self._sink.put_fixture(queued.fixture)
            except Exception as error:  # whatever it is, the next try may work, and a dead thread never does
                _log.warning("the execution log was not written", extra={"reason": type(error).__name__})
                self._stop.wait(self._retry_seconds)
            else:
                return
        self._dropped += len(batch)


class _Queued(NamedTuple):
    execution: Execution
    fixture: StoredFixture | None

    @property
    def size(self) -> int:
        """The bytes that guests decide of."""
        kept = 0 if self.fixture is None else len(self.fixture.ciphertext)
        return int(self.execution.receipt.get("log_bytes", 0)) + kept

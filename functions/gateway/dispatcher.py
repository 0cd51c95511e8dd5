"""Who does the work of the queue: in a thread pool on one machine, by a queue's messages elsewhere.

Rules kept here:

- Work is taken only where a thread is free for it, so that no lease runs out while it waits for one.
- A lease is longer than a handler may take. What fails inside is left to its lease: it comes back by itself.
- Stopping takes no more, waits for what runs, and loses nothing.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from gateway.dispatch import ATTEMPTS, Calls, Deliveries
from gateway.firing import Firing
from oriel.clock import now_ms
from oriel.errors import OrielError
from oriel.following import Following, FollowStore
from oriel.store.event_records import Work, WorkKind

THREADS = 4
POLL_SECONDS = 0.5
RETRY_SECONDS = 1.0
STOP_SECONDS = 10.0
MARGIN_MS = 10_000

_log = logging.getLogger(__name__)


class Dispatcher:
    """Takes work and does it. Safe to share between threads.

    Args:
        longest_ms: what a handler may take at most.
        attempts: deliveries tried before one is a dead letter.
        told: is told work that came of work, with the time when it is due.
    """

    def __init__(
        self,
        store: FollowStore,
        gateway: Calls,
        *,
        longest_ms: int,
        attempts: int = ATTEMPTS,
        told: Callable[[Work], None] = lambda _: None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store, self._clock = store, clock
        self._lease_ms = longest_ms + MARGIN_MS
        deliveries = Deliveries(store, gateway, attempts=attempts, told=told, clock=clock)
        firing = Firing(store, gateway, told=told, clock=clock)
        self._do: dict[WorkKind, Callable[[Work], None]] = {
            "event": deliveries.spread,
            "delivery": deliveries.deliver,
            "schedule": firing.fire,
            "run": firing.run,
            "install": Following(store, told=told, clock=clock).follow,
        }

    def claim(self, limit: int) -> tuple[Work, ...]:
        """Take what is due; `StoreUnavailable`."""
        return self._store.claim_work(self._clock() + self._lease_ms, limit)

    def claim_item(self, tenant_id: str, kind: WorkKind, item_id: str) -> Work | None:
        """Take one item, where it is due and nobody has it."""
        return self._store.claim_item(tenant_id, kind, item_id, self._clock() + self._lease_ms)

    def do(self, work: Work) -> None:
        """Do what was taken."""
        self._do[work.kind](work)

    def run_pending(self, limit: int = 100) -> int:
        """Take what is due and do it, one after the other; how much it was."""
        taken = self.claim(limit)
        for work in taken:
            self.do(work)
        return len(taken)


class DispatchWorker:
    """A thread that takes work, and a pool that does it."""

    def __init__(self, dispatcher: Dispatcher, *, threads: int = THREADS, poll_seconds: float = POLL_SECONDS) -> None:
        self._dispatcher, self._threads, self._poll_seconds = dispatcher, threads, poll_seconds
        self._changed = threading.Condition()
        self._busy = 0
        self._told = self._stopping = False
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="oriel-dispatch")
        self._thread = threading.Thread(target=self._work, name="oriel-dispatch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self, _work: Work | None = None) -> None:
        """There is work. Safe from every thread."""
        with self._changed:
            self._told = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Take no more, and wait for what runs."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(STOP_SECONDS)
        self._pool.shutdown(wait=True)

    def _work(self) -> None:
        while (free := self._free()) > 0:
            try:
                taken = self._dispatcher.claim(free)
            except OrielError as error:
                _log.warning("the dispatcher waits: %s", error.detail)
                self._rest(RETRY_SECONDS)
                continue
            for work in taken:
                self._begin(work)
            if not taken:
                self._rest(self._poll_seconds)

    def _free(self) -> int:
        """How many threads are free, once one is; 0 at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._busy < self._threads)
            return 0 if self._stopping else self._threads - self._busy

    def _rest(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._told or self._stopping, seconds)
            self._told = False

    def _begin(self, work: Work) -> None:
        with self._changed:
            self._busy += 1
        self._pool.submit(self._dispatcher.do, work).add_done_callback(self._ended)

    def _ended(self, done: "Future[None]") -> None:
        error = done.exception()
        if isinstance(error, OrielError):
            _log.warning("a piece of work waits: %s", error.detail)
        elif error is not None:
            _log.error("a piece of work failed inside", exc_info=error)
        with self._changed:
            self._busy -= 1
            self._told = True  # what came of it, or what waited behind it
            self._changed.notify_all()

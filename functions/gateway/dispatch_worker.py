"""The work of the queue on one machine: a thread that takes and settles it, and a pool that calls the handlers.

Rules kept here:

- Work is taken only where a thread is free for it, so that no lease runs out while it waits for one.
- One thread speaks to the store, as much at a time as there is; the threads of the pool wait for handlers.
- One tenant has at most half of the threads, however slow its handlers are.
- What cannot be settled, as the store does not answer, is settled later: its handlers were called. Whatever else fails
  costs a pause, and comes back when its lease has ended.
- Stopping takes no more, waits for what runs, settles it, and loses nothing.
"""

import logging
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from gateway.dispatcher import Dispatcher, Task
from oriel.errors import OrielError
from oriel.store.event_records import Work
from oriel.store.eventing import Settlement
from oriel.store.queueing import Turns

FEWEST_THREADS = 4
POLL_SECONDS = 0.5
RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class DispatchWorker:
    """Takes work and does it, from `start` to `stop`.

    Args:
        threads: no more than executions find a place at once: the time that one waits for a place is its own.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        threads: int = FEWEST_THREADS,
        poll_seconds: float = POLL_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._dispatcher, self._threads = dispatcher, threads
        self._poll_seconds, self._retry_seconds = poll_seconds, retry_seconds
        self._changed = threading.Condition()
        self._busy: Counter[str] = Counter()
        self._ended: list[Settlement] = []
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
        """Take no more, wait for what runs, and settle it."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown(wait=True)

    def _work(self) -> None:
        pause = 0.0
        while self._awaits_something(pause):
            try:
                self._settle()
                pause = 0.0 if self._take() else self._poll_seconds
            except OrielError as error:
                _log.warning("the dispatcher waits: %s", error.detail)
                self._recover()
            except Exception:
                _log.exception("the dispatcher failed inside")
                self._recover()

    def _recover(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, self._retry_seconds)

    def _awaits_something(self, pause: float) -> bool:
        """Wait until there is something to do, or for a pause; False at the end, when nothing runs any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._told or self._ended or self._stopping, pause)
            if self._stopping:
                self._changed.wait_for(lambda: not self._busy)
            self._told = False
            return not self._stopping or bool(self._ended)

    def _settle(self) -> None:
        with self._changed:
            ended, self._ended = self._ended, []
        try:
            self._dispatcher.settle(ended)
        except OrielError:
            with self._changed:
                self._ended = [] if self._stopping else ended + self._ended
            raise

    def _take(self) -> bool:
        """Take work and begin it; whether there was any."""
        with self._changed:
            free = 0 if self._stopping else self._threads - self._busy.total()
            turns = Turns(most=-(-self._threads // 2), busy=dict(self._busy))
        taken = self._dispatcher.claim(free, turns) if free else ()
        for task in self._dispatcher.tasks(taken):
            self._begin(task)
        return bool(taken)

    def _begin(self, task: Task) -> None:
        with self._changed:
            self._busy[task.tenant_id] += 1
        self._pool.submit(task.do).add_done_callback(partial(self._end, task.tenant_id))

    def _end(self, tenant_id: str, done: "Future[Settlement | None]") -> None:
        error = done.exception()
        if isinstance(error, OrielError):
            _log.warning("a piece of work waits: %s", error.detail)
        elif error is not None:
            _log.error("a piece of work failed inside", exc_info=error)
        with self._changed:
            self._busy[tenant_id] -= 1
            if not self._busy[tenant_id]:
                del self._busy[tenant_id]
            if error is None and (ended := done.result()) is not None:
                self._ended.append(ended)
            self._told = True  # what waited behind it
            self._changed.notify_all()

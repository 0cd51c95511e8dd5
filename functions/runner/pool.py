"""The threads that run guests, shared fairly.

Rules kept here:

- A bounded number of executions runs at once, and a bounded number waits; one more is refused with `overloaded`.
- Waiting tenants take turns, one request each, however many another one has queued.
- No tenant and no install may hold all threads, and no tenant the whole queue, so that one noisy install leaves
  room for the others.
- Threads that wait cost nothing, and threads that compute cost a CPU. An install whose last execution computed for
  long is heavy until one of its executions does not; a request that was refused before it began is none. A tenant's
  heavy installs leave a CPU free, where there are two, and threads at work for heavy installs keep to CPUs of their
  own (`runner.partition`).
- A request that is cancelled while it waits is never run and leaves the queue at once.
"""

import os
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from typing import Any, Generic, TypeVar

from msgspec import Struct

from oriel.errors import OrielError
from runner.partition import Partition

T = TypeVar("T")
RETRY_SECONDS = 1
HEAVY_CPU_SECONDS = 0.025
MAX_HEAVY = 4_096  # installs that are remembered as heavy


class Share(Struct, frozen=True):
    """How many run and wait at once: in all, of one tenant, of one install, of one tenant's heavy installs."""

    threads: int
    per_tenant: int
    per_install: int
    heavy_per_tenant: int
    queue: int
    queue_per_tenant: int

    @classmethod
    def of(cls, threads: int, cpus: int | None = None) -> "Share":
        """The shares for a number of threads: all but one for a tenant, half of them for an install.

        Args:
            cpus: that this process may use; by default those it has.
        """
        cpus = len(os.sched_getaffinity(0)) if cpus is None else cpus
        return cls(
            threads=threads,
            per_tenant=max(1, threads - 1),
            per_install=max(1, threads // 2),
            heavy_per_tenant=max(1, min(threads - 1, cpus - 1)),
            queue=16 * threads,
            queue_per_tenant=8 * threads,
        )


class _Task(Struct, Generic[T], frozen=True, eq=False):
    tenant: str
    install: tuple[str, str]
    work: Callable[[], T]
    future: "Future[T]"

    def run(self) -> T | None:
        """What the work gives, which the future has too; None where it was cancelled or failed."""
        if not self.future.set_running_or_notify_cancel():
            return None
        try:
            result = self.work()
        except BaseException as error:
            self.future.set_exception(error)
            return None
        self.future.set_result(result)
        return result


class FairPool(Generic[T]):
    """A pool of daemon threads; close it.

    Args:
        computed: the CPU seconds that a result took; 0 where the work was refused before it began, which says nothing
            of its install.
    """

    def __init__(self, share: Share, computed: Callable[[T], float]) -> None:
        self._share = share
        self._computed = computed
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, deque[_Task[T]]] = OrderedDict()  # tenants in the order of their turns
        self._running: Counter[str | tuple[str, str]] = Counter()  # by tenant, and by tenant and install
        self._admitted: Counter[str] = Counter()  # by tenant: waiting or running
        self._heavy: OrderedDict[tuple[str, str], None] = OrderedDict()  # installs, the last one that was found last
        self._partition = Partition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._serve, name=f"guest-{at}", daemon=True) for at in range(share.threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many requests wait for a thread now."""
        with self._changed:
            return sum(map(len, self._waiting.values()))

    def submit(self, tenant: str, install: str, work: Callable[[], T]) -> "Future[T]":
        """Queue `work`.

        Raises:
            OrielError: `overloaded` where the queue, or the tenant's part of it, is full; `unavailable` after `close`.
        """
        task: _Task[T] = _Task(tenant, (tenant, install), work, Future())
        with self._changed:
            if self._closed:
                raise OrielError("unavailable", "The runner is stopping.", retry_after=RETRY_SECONDS)
            self._admit(tenant)
            self._waiting.setdefault(tenant, deque()).append(task)
            self._changed.notify()
        task.future.add_done_callback(lambda future: self._drop(task) if future.cancelled() else None)
        return task.future

    def close(self) -> None:
        """Refuse what is new, cancel what waits, and let what runs end by its own deadline."""
        with self._changed:
            self._closed = True
            waiting = [task for tasks in self._waiting.values() for task in tasks]
            self._changed.notify_all()
        for task in waiting:
            task.future.cancel()
        for thread in self._threads:
            thread.join()

    def _admit(self, tenant: str) -> None:
        share = self._share
        full = self._admitted.total() >= share.threads + share.queue
        if full or self._admitted[tenant] >= share.per_tenant + share.queue_per_tenant:
            whose = "" if full else " of this tenant"
            raise OrielError("overloaded", f"Too many requests{whose} are waiting.", retry_after=RETRY_SECONDS)
        self._admitted[tenant] += 1

    def _serve(self) -> None:
        while (task := self._next()) is not None:
            with self._partition.heavy() if task.install in self._heavy else nullcontext():
                result = task.run()
            computed = 0.0 if result is None else self._computed(result)
            with self._changed:
                _lower(self._running, task.tenant)
                _lower(self._running, task.install)
                _lower(self._admitted, task.tenant)
                self._weigh(task.install, computed)

    def _next(self) -> _Task[T] | None:
        """The next task, waited for; None when the pool is closed."""
        with self._changed:
            while not self._closed:
                task = self._eligible()
                if task is not None:
                    self._remove(task)
                    if task.tenant in self._waiting:
                        self._waiting.move_to_end(task.tenant)
                    self._running[task.tenant] += 1
                    self._running[task.install] += 1
                    return task
                self._changed.wait()
            return None

    def _eligible(self) -> _Task[T] | None:
        for tenant, tasks in self._waiting.items():
            if self._running[tenant] >= self._share.per_tenant:
                continue
            no_more_heavy = self._running_heavy(tenant) >= self._share.heavy_per_tenant
            for task in tasks:
                if no_more_heavy and task.install in self._heavy:
                    continue
                if self._running[task.install] < self._share.per_install:
                    return task
        return None

    def _running_heavy(self, tenant: str) -> int:
        """The threads that a tenant's heavy installs hold."""
        return sum(count for key, count in self._running.items() if key in self._heavy and key[0] == tenant)

    def _weigh(self, install: tuple[str, str], computed: float) -> None:
        """Remember whether an install is heavy, by the CPU seconds of its last execution, if that was one."""
        if not computed:
            return
        if computed >= HEAVY_CPU_SECONDS:
            self._heavy[install] = None
            self._heavy.move_to_end(install)
            if len(self._heavy) > MAX_HEAVY:
                self._heavy.popitem(last=False)
        elif install in self._heavy:
            del self._heavy[install]
            self._changed.notify_all()  # what waited for its tenant's heavy ones may run on the threads that idle

    def _drop(self, task: _Task[T]) -> None:
        """Take a cancelled task out of the queue, unless a thread has it already and finds out by itself."""
        with self._changed:
            if task in self._waiting.get(task.tenant, ()):
                self._remove(task)
                _lower(self._admitted, task.tenant)

    def _remove(self, task: _Task[T]) -> None:
        tasks = self._waiting[task.tenant]
        tasks.remove(task)
        if not tasks:
            del self._waiting[task.tenant]


def _lower(counter: "Counter[Any]", key: Any) -> None:
    """Count one less, and forget the key at zero: tenants come and go."""
    counter[key] -= 1
    if not counter[key]:
        del counter[key]

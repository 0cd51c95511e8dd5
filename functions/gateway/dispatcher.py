"""What is done with the work of the queue, whoever does it (`gateway.dispatch_worker`, `gateway.event_function`).

Rules kept here:

- A lease is longer than a handler may take. What fails inside is left to its lease: it comes back by itself.
- Tenants take turns; the next claim goes on where the one before it ended.
- What was taken together is prepared together, and what ends together is settled together: that is what a transaction
  costs least for. Handlers are called in between, each by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from gateway.dispatch import ATTEMPTS, Calls, Deliveries
from gateway.firing import Firing
from oriel.clock import now_ms
from oriel.following import Following, FollowStore
from oriel.settings import Settings
from oriel.store.event_records import Work, WorkKind
from oriel.store.eventing import Settlement
from oriel.store.queueing import ANY, Turns

MARGIN_MS = 10_000


class Task(NamedTuple):
    """Something to do for one tenant, that may take as long as a handler. What it gives is to be settled."""

    tenant_id: str
    do: Callable[[], Settlement | None]


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
        self._store, self._clock, self._longest_ms = store, clock, longest_ms
        self._deliveries = Deliveries(store, gateway, attempts=attempts, told=told, clock=clock)
        firing = Firing(store, gateway, told=told, clock=clock)
        self._single: dict[WorkKind, Callable[[Work], None]] = {
            "schedule": firing.fire,
            "run": firing.run,
            "install": Following(store, told=told, clock=clock).follow,
        }
        self._last = ""

    def claim(self, limit: int, turns: Turns = ANY) -> tuple[Work, ...]:
        """Take what is due; `StoreUnavailable`."""
        until = self._clock() + self._longest_ms + MARGIN_MS
        taken = self._store.claim_work(until, limit, turns._replace(after=self._last))
        if taken:
            self._last = taken[-1].tenant_id
        return taken

    def claim_item(self, tenant_id: str, kind: WorkKind, item_id: str) -> Work | None:
        """Take one item, where it is due and nobody has it."""
        return self._store.claim_item(tenant_id, kind, item_id, self._clock() + self._longest_ms + MARGIN_MS)

    def tasks(self, taken: Iterable[Work]) -> Iterator[Task]:
        """What there is to do of what was taken. Events are spread at once: no handler is called for that."""
        for (tenant_id, kind), some in groupby(sorted(taken, key=_kind), key=_kind):
            works = list(some)
            if kind == "event":
                self._deliveries.spread(works)
            elif kind == "delivery":
                for undelivered in self._deliveries.undelivered(works):
                    yield Task(tenant_id, partial(self._deliveries.deliver, undelivered))
            else:
                yield from (Task(tenant_id, partial(self._single[kind], work)) for work in works)

    def settle(self, ended: Sequence[Settlement]) -> None:
        """Write down what came of tasks."""
        if ended:
            self._deliveries.settle(ended)

    def do(self, work: Work) -> None:
        """Do what was taken."""
        self.settle([ended for task in self.tasks([work]) if (ended := task.do()) is not None])

    def run_pending(self, limit: int = 100) -> int:
        """Take what is due and do it, one after the other; how much it was.

        What its lease has no time left for, when its turn comes, is given back.
        """
        taken = self.claim(limit)
        for work in taken:
            if work.due_at < self._clock() + self._longest_ms:
                self._store.release_work(work, self._clock())
            else:
                self.do(work)
        return len(taken)


def _kind(work: Work) -> tuple[str, WorkKind]:
    return work.tenant_id, work.kind


def build_dispatcher(
    settings: Settings, store: FollowStore, gateway: Calls, *, told: Callable[[Work], None]
) -> Dispatcher:
    """What brings events and schedules to handlers, through `gateway`.

    Args:
        told: is told work that came of work, with the time when it is due.
    """
    longest_ms, attempts = settings.max_timeout_ms, settings.event_attempts
    return Dispatcher(store, gateway, longest_ms=longest_ms, attempts=attempts, told=told)

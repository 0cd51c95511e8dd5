"""The store's part for events and schedules, as access patterns. The rules of `oriel.store.base` hold here too.

The queue of work is what makes them durable:

- An item enters the queue in the transaction that makes it, and leaves it in the one that records its end.
- Taking an item moves its `due_at` to the end of the taker's time. It is a lease: who dies leaves the item to the next
  when that time comes, and who was too slow finds that the item is no longer his (`settle_*` and `release_work` say so
  and change nothing).
- Two takers never get the same item at the same `due_at`.
- Of a lane, only the first item is given out, until it leaves the queue.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from oriel.store.event_records import Delivery, Event, Schedule, ScheduleRun, Subscription, Work, WorkKind
from oriel.store.queueing import ANY, Turns
from oriel.store.records import AuditEntry, Page

DELIVERIES_AT_ONCE = 19
"""What every backend takes in one transaction, with an audit entry."""


class Spread(NamedTuple):
    """An event's work, and the deliveries that come of it."""

    work: Work
    deliveries: Sequence[Delivery]


class Settlement(NamedTuple):
    """A delivery as it is now, and its work: due again at `due_at`, or done where that is None."""

    work: Work
    delivery: Delivery
    due_at: int | None


class EventSink(Protocol):
    """What whoever emits needs of the store."""

    def put_event(self, event: Event, ceiling: int) -> bool:
        """Write an event and the work of spreading it; False where its id is there already.

        Raises:
            OrielError: `rate_limited`, where its source has had `ceiling` events in this minute.
        """
        ...


class ScheduleStore(Protocol):
    """Schedules and their runs. A schedule is in the queue while it has a `next_at`."""

    def create_schedule(self, schedule: Schedule, entry: AuditEntry | None = None) -> None: ...
    def replace_schedule(self, schedule: Schedule, entry: AuditEntry | None = None) -> None: ...
    def delete_schedule(self, tenant_id: str, schedule_id: str, entry: AuditEntry | None = None) -> bool: ...
    def get_schedule(self, tenant_id: str, schedule_id: str) -> Schedule | None: ...
    def list_schedules(
        self, tenant_id: str, install_id: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[Schedule]:
        """By their ids, all of the tenant or those of one install."""
        ...

    def start_run(self, schedule: Schedule, run: ScheduleRun, entry: AuditEntry | None = None) -> None:
        """Replace the schedule and write a new run, in one transaction; a `queued` run is work at once.

        `Conflict` as with `replace_schedule`, and where there is a run of that id.
        """
        ...

    def get_run(self, tenant_id: str, run_id: str) -> ScheduleRun | None: ...
    def list_runs(
        self, tenant_id: str, schedule_id: str, cursor: str | None = None, limit: int = 20
    ) -> Page[ScheduleRun]:
        """Newest first."""
        ...


class EventStore(EventSink, ScheduleStore, Protocol):
    """Subscriptions, events, deliveries, schedules, runs, and the queue."""

    def replace_subscriptions(self, tenant_id: str, install_id: str, subscriptions: Sequence[Subscription]) -> None:
        """Exactly these of the install from now on. `Conflict` where there is no such install."""
        ...

    def list_subscriptions(self, tenant_id: str) -> tuple[Subscription, ...]:
        """All of a tenant, by install and id."""
        ...

    def get_event(self, tenant_id: str, event_id: str) -> Event | None: ...
    def get_events(self, tenant_id: str, event_ids: Collection[str]) -> Mapping[str, Event]:
        """Those that are there, by their ids."""
        ...

    def list_events(self, tenant_id: str, cursor: str | None = None, limit: int = 50) -> Page[Event]:
        """Newest first, by the event's id."""
        ...

    def put_deliveries(self, deliveries: Sequence[Delivery], entry: AuditEntry | None = None) -> tuple[Delivery, ...]:
        """Write those of one tenant that are not there, each with its work; those that were new.

        At most `DELIVERIES_AT_ONCE`, in one transaction. The entry's `after` names them.
        """
        ...

    def spread_events(self, spreads: Sequence[Spread]) -> tuple[Spread, ...]:
        """Of each event: write the deliveries that are not there, with their work, and end the event's.

        However many they are: cut off, it is repeated. Those that were done; not, where the work is no longer his.
        """
        ...

    def get_delivery(self, tenant_id: str, delivery_id: str) -> Delivery | None: ...
    def get_deliveries(self, tenant_id: str, delivery_ids: Collection[str]) -> Mapping[str, Delivery]:
        """Those that are there, by their ids."""
        ...

    def list_deliveries(self, tenant_id: str, event_id: str) -> tuple[Delivery, ...]:
        """Those of one event."""
        ...

    def list_dead_letters(self, tenant_id: str, cursor: str | None = None, limit: int = 50) -> Page[Delivery]:
        """Newest first, by the delivery's id."""
        ...

    def settle_deliveries(self, settlements: Sequence[Settlement]) -> tuple[Settlement, ...]:
        """Replace each delivery with its work. Those that were; not, where the work is no longer his."""
        ...

    def revive_deliveries(
        self, deliveries: Sequence[Delivery], entry: AuditEntry | None = None
    ) -> tuple[Delivery, ...]:
        """Replace dead deliveries of one tenant by pending ones, with work at their `due_at`; those that were dead.

        As many at once as `put_deliveries`, and the entry likewise.
        """
        ...

    def settle_run(self, run: ScheduleRun, work: Work, due_at: int | None) -> bool:
        """Replace the run; its work is due again at `due_at`, or done. False where the work is no longer his."""
        ...

    def claim_work(self, until: int, limit: int = 20, turns: Turns = ANY) -> tuple[Work, ...]:
        """Take what is due now until the time `until`; of each tenant what has waited longest first.

        Tenants take turns, and one has no more than its share of `limit` while others wait. A tenant's backlog, however
        long, is one tenant's.
        """
        ...

    def claim_item(self, tenant_id: str, kind: WorkKind, item_id: str, until: int) -> Work | None:
        """Take one item, where it is due and the first of its lane."""
        ...

    def release_work(self, work: Work, due_at: int | None) -> bool:
        """The item is due again at `due_at`, or done. False where it is no longer his."""
        ...

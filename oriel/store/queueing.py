"""What the backends have in common about events: the count of a minute, and the work that a record is."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Self

from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.ids import new_id
from oriel.store.event_records import Delivery, Event, Schedule, ScheduleRun, Work
from oriel.store.records import AuditEntry, Install

MINUTE_MS = 60_000
KEEP_RUNS_MS = 30 * 86_400_000


def minute_of(at: int) -> int:
    """The minute that a time in milliseconds is in, counted from the epoch."""
    return at // MINUTE_MS


def expiry(minute: int) -> int:
    """When nobody asks for the count of a minute any more, in Unix milliseconds."""
    return (minute + 2) * MINUTE_MS


def too_many(source: str, ceiling: int) -> OrielError:
    return OrielError(
        "rate_limited", f"'{source}' may emit {ceiling:,} events in a minute, and has done so.", retry_after=60
    )


def spreading(event: Event) -> Work:
    """The work of finding who is to be told. Events of one key are spread one after the other."""
    lane = None if event.key is None else f"event:{event.key}"
    return Work(tenant_id=event.tenant_id, kind="event", item_id=event.event_id, lane=lane, due_at=event.created_at)


def delivering(delivery: Delivery) -> Work:
    """The work of a delivery that is pending."""
    due_at = delivery.updated_at if delivery.due_at is None else delivery.due_at
    return Work(
        tenant_id=delivery.tenant_id, kind="delivery", item_id=delivery.delivery_id, lane=delivery.lane, due_at=due_at
    )


class Turns(NamedTuple):
    """How tenants take turns at a claim.

    Attributes:
        after: the tenants after this one come first; those up to it, once these are through.
        most: how many one tenant may have, with those of it that are in `busy` already.
    """

    after: str = ""
    most: int = 1_000_000
    busy: Mapping[str, int] = MappingProxyType({})

    def shares(self, waiting: Iterable[str], limit: int) -> list[tuple[str, int]]:
        """Whose turn it is of those that wait, and how many of `limit` each may have."""
        room = {tenant_id: self.most - self.busy.get(tenant_id, 0) for tenant_id in waiting}
        order = sorted(tenant_id for tenant_id, left in room.items() if left > 0)
        first = bisect_right(order, self.after)
        turns = (order[first:] + order[:first])[:limit]
        return [(tenant_id, min(room[tenant_id], -(-limit // len(turns)))) for tenant_id in turns]


ANY = Turns()


def naming(entry: AuditEntry, changed: Iterable[Delivery]) -> AuditEntry:
    """The entry of a change of several deliveries: which they were."""
    return replace(entry, after={"deliveries": [delivery.delivery_id for delivery in changed]})


def firing(schedule: Schedule) -> Work | None:
    """The work of a schedule: its next time; None where it has none."""
    if schedule.next_at is None:
        return None
    return Work(tenant_id=schedule.tenant_id, kind="schedule", item_id=schedule.schedule_id, due_at=schedule.next_at)


def running(run: ScheduleRun) -> Work:
    """The work of a run that is queued."""
    return Work(tenant_id=run.tenant_id, kind="run", item_id=run.run_id, due_at=run.created_at)


class Followed(NamedTuple):
    """A change of an install that its subscriptions and schedules are to follow.

    Attributes:
        revision: of the install, by which the changes of one are in their order.
        before: the version that it had before the change.
    """

    install_id: str
    revision: int
    extension_id: str
    before: str

    @classmethod
    def named(cls, work: Work) -> Self:
        install_id, revision, extension_id, before = work.item_id.split("/")
        return cls(install_id, int(revision), extension_id, before)


def following(install: Install, before: str) -> Work:
    """The work of following a changed install. The works of one install are done one after the other."""
    item_id = f"{install.install_id}/{install.revision:08d}/{install.extension_id}/{before}"
    lane = f"install:{install.install_id}"
    return Work(tenant_id=install.tenant_id, kind="install", item_id=item_id, lane=lane, due_at=install.updated_at)


def new_run(schedule: Schedule, scheduled_at: int | None, now: int) -> ScheduleRun:
    """A run to be made; `scheduled_at` is None where somebody asked for it."""
    return ScheduleRun(
        tenant_id=schedule.tenant_id,
        run_id=f"{schedule.schedule_id}.{new_id('run')}",
        schedule_id=schedule.schedule_id,
        install_id=schedule.install_id,
        extension_id=schedule.extension_id,
        scheduled_at=scheduled_at,
        state="queued",
        created_at=now,
        expires_at=now + KEEP_RUNS_MS,
    )

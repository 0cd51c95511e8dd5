"""What the registry remembers of events and schedules, as plain immutable records. Times are Unix milliseconds.

What has to be done stands in a queue of `Work`, by ids alone: an item is in it exactly as long as it is not done.
"""

from typing import Any, Literal

from msgspec import Struct, field

WorkKind = Literal["event", "delivery", "schedule", "run", "install"]
DeliveryState = Literal["pending", "delivered", "dead", "dropped"]
RunState = Literal["queued", "running", "succeeded", "failed", "skipped"]
Missed = Literal["once", "skip"]


class Subscription(Struct, frozen=True, kw_only=True):
    """`extension_event_subscription`: what an install is told of. `filter` is the manifest's."""

    tenant_id: str
    install_id: str
    subscription_id: str
    extension_id: str
    topic: str
    path: str
    filter: dict[str, Any] = field(default_factory=dict)
    ordered: bool = False
    created_at: int


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened. `data` is a JSON object, `depth` how many events brought it about, one by another.

    `source` is the extension that emitted it, or `product`.
    """

    tenant_id: str
    event_id: str
    topic: str
    source: str
    key: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    depth: int = 0
    caused_by: str | None = None
    created_at: int
    expires_at: int


class Delivery(Struct, frozen=True, kw_only=True):
    """One event on its way to one subscription. Its id begins with the event's, so that it sorts like it.

    `attempts` are those that reached the handler, or would have; waiting for a disabled install is none.
    """

    tenant_id: str
    delivery_id: str
    event_id: str
    topic: str
    install_id: str
    extension_id: str
    path: str
    lane: str | None = None
    state: DeliveryState = "pending"
    attempts: int = 0
    reason: str | None = None
    status: int | None = None
    execution_id: str | None = None
    created_at: int
    updated_at: int
    due_at: int | None = None
    expires_at: int


class Schedule(Struct, frozen=True, kw_only=True):
    """When one endpoint of an install is called. `next_at` is None where it is off.

    `origin` is who made it: the manifest, the extension itself, or the tenant.
    """

    tenant_id: str
    schedule_id: str
    install_id: str
    extension_id: str
    name: str
    origin: Literal["manifest", "extension", "tenant"]
    cron: str
    timezone: str
    method: str
    path: str
    payload: dict[str, Any] | None = None
    enabled: bool = True
    missed: Missed = "once"
    overlap: bool = False
    next_at: int | None = None
    off_reason: str | None = None
    created_by: str
    created_at: int
    updated_at: int
    revision: int = 1


class ScheduleRun(Struct, frozen=True, kw_only=True):
    """One run of a schedule, also one that was skipped. Its id begins with the schedule's.

    `scheduled_at` is the time it was for; None where somebody asked for it.
    """

    tenant_id: str
    run_id: str
    schedule_id: str
    install_id: str
    extension_id: str
    scheduled_at: int | None
    state: RunState
    attempts: int = 0
    reason: str | None = None
    status: int | None = None
    execution_id: str | None = None
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    expires_at: int


class Work(Struct, frozen=True, kw_only=True):
    """An item of the queue. `due_at` is when it may be taken, and who took it knows it by the time it is his until.

    Of the items of one `lane` only the one with the first id is given out.
    """

    tenant_id: str
    kind: WorkKind
    item_id: str
    lane: str | None = None
    due_at: int

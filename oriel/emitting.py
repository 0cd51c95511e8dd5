"""Emitting events: what the host product and extensions do, over the store.

Rules kept here:

- An event is kept before its emitter is told its id; what follows is the dispatcher's.
- Chains end: an event is one deeper than what brought it about, and each source has so many in a minute.
- An event that its emitter has given an id of its own and a time is the same event however often it is sent.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from oriel import events
from oriel.clock import now_ms
from oriel.ids import new_id
from oriel.settings import Settings
from oriel.store.event_records import Event, Work
from oriel.store.eventing import EventSink
from oriel.store.queueing import spreading

DAY_MS = 86_400_000
PREFIX = "evt"


class Bounds(Struct, frozen=True):
    """What emitters may do.

    Attributes:
        product_per_minute, extension_per_minute: events of one tenant.
        keep_days: how long an event is kept, for replay and redrive.
    """

    product_per_minute: int = 6_000
    extension_per_minute: int = 600
    keep_days: int = 14


def event_bounds(settings: Settings) -> Bounds:
    """What the operator has set."""
    return Bounds(
        product_per_minute=settings.events_per_minute,
        extension_per_minute=settings.extension_events_per_minute,
        keep_days=settings.event_keep_days,
    )


class Emission(Struct, frozen=True, kw_only=True):
    """What is to be told, by `source` (an extension's id, or `events.PRODUCT`).

    Attributes:
        id, at: the emitter's own, by which it is known again; both or neither.
        depth, caused_by: of the event that brought it about.
    """

    tenant_id: str
    source: str
    topic: str
    data: dict[str, Any]
    key: str | None = None
    depth: int = 0
    caused_by: str | None = None
    id: str | None = None
    at: int | None = None


class Emitter:
    """The way in for events. Safe to share between threads.

    Args:
        told: is told the work that an event is; it may be done at once.
    """

    def __init__(
        self,
        sink: EventSink,
        bounds: Bounds | None = None,
        *,
        told: Callable[[Work], None] = lambda _: None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._sink, self._bounds, self._told, self._clock = sink, bounds or Bounds(), told, clock

    def emit(self, emission: Emission) -> tuple[Event, bool]:
        """Keep the event; whether it is new.

        Raises:
            InvalidInput: `invalid_input`.
            OrielError: `event_loop`, `rate_limited`, `unavailable`.
        """
        events.check(emission.topic, emission.key, emission.data)
        events.check_depth(emission.depth)
        now = self._clock()
        event = Event(
            tenant_id=emission.tenant_id,
            event_id=_id(emission),
            topic=emission.topic,
            source=emission.source,
            key=emission.key,
            data=emission.data,
            depth=emission.depth,
            caused_by=emission.caused_by,
            created_at=now,
            expires_at=now + self._bounds.keep_days * DAY_MS,
        )
        is_product = emission.source == events.PRODUCT
        ceiling = self._bounds.product_per_minute if is_product else self._bounds.extension_per_minute
        new = self._sink.put_event(event, ceiling)
        if new:
            self._told(spreading(event))
        return event, new


def _id(emission: Emission) -> str:
    """A new id, or the one that the emitter's own id and time always give; ordered by time either way."""
    if emission.id is None or emission.at is None:
        return new_id(PREFIX)
    digest = hashlib.sha256(f"{emission.source}\0{emission.id}".encode()).hexdigest()
    return f"{PREFIX}_{emission.at:012x}{digest[:20]}"

"""Events on their way: from the store to the handlers, through the gateway's own policy.

    event     spread: a delivery for every subscription that it matches
    delivery  the handler is called; done, again, or a dead letter

Rules kept here:

- Whatever is read is read again from the store: a piece of work is ids and nothing else. What was taken together is
  read together.
- A result is written on condition that the work is still ours. Where it is not, somebody else does it: at least once.
- A handler is called only where its install is still subscribed by what it consented to; otherwise the delivery is
  dropped, and says so.
- What waits for its install, or for the platform, is not counted as tried; when the event expires it is a dead letter.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from gateway.messages import GatewayResponse, PlatformCall
from gateway.outcomes import Outcome, judged, pause_ms, wait_ms
from gateway.resolve import Resolved
from oriel import events
from oriel.clock import now_ms
from oriel.ids import new_id
from oriel.store.event_records import Delivery, DeliveryState, Event, Subscription, Work
from oriel.store.eventing import EventStore, Settlement, Spread
from oriel.store.queueing import delivering
from oriel.subscribing import delivery_of, is_subscribed

ATTEMPTS = 10
EVENT_ID, ATTEMPT = "x-oriel-event", "x-oriel-attempt"

_log = logging.getLogger(__name__)


class Calls(Protocol):
    """The part of `gateway.core.Gateway` that is needed here."""

    def call(self, call: PlatformCall) -> GatewayResponse: ...
    def resolved(self, tenant_id: str, extension_id: str) -> Resolved | None: ...


class Undelivered(NamedTuple):
    """A delivery that is to be made, with its event where that is still there."""

    work: Work
    delivery: Delivery
    event: Event | None


class Deliveries:
    """Spreads events and delivers them. Safe to share between threads.

    Args:
        attempts: how often a handler is tried before the delivery is a dead letter.
        told: is told work that came of work.
    """

    def __init__(
        self,
        store: EventStore,
        gateway: Calls,
        *,
        attempts: int = ATTEMPTS,
        told: Callable[[Work], None] = lambda _: None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store, self._gateway, self._attempts = store, gateway, attempts
        self._told, self._clock = told, clock

    def spread(self, works: Sequence[Work]) -> None:
        """Find who is to be told of events of one tenant."""
        tenant_id, now = works[0].tenant_id, self._clock()
        found = self._store.get_events(tenant_id, [work.item_id for work in works])
        subscribed = self._store.list_subscriptions(tenant_id)
        spreads = [Spread(work, _wanted(found.get(work.item_id), subscribed, now)) for work in works]
        for done in self._store.spread_events(spreads):
            for delivery in done.deliveries:
                self._told(delivering(delivery))

    def undelivered(self, works: Sequence[Work]) -> Iterator[Undelivered]:
        """What is still to be delivered to one tenant; what is not any more is ended."""
        tenant_id = works[0].tenant_id
        there = self._store.get_deliveries(tenant_id, [work.item_id for work in works])
        pending = {item: delivery for item, delivery in there.items() if delivery.state == "pending"}
        told_of = self._store.get_events(tenant_id, {delivery.event_id for delivery in pending.values()})
        for work in works:
            delivery = pending.get(work.item_id)
            if delivery is None:
                self._store.release_work(work, None)
            else:
                yield Undelivered(work, delivery, told_of.get(delivery.event_id))

    def deliver(self, undelivered: Undelivered) -> Settlement:
        """Call the handler; what came of it."""
        work, delivery, event = undelivered
        if event is None or self._clock() >= event.expires_at:
            return self._ended(delivery, work, "dead", reason="expired")
        if (unwanted := self._unwanted(delivery)) is not None:
            return self._ended(delivery, work, "dropped", reason=unwanted)
        return self._judged(delivery, event, work, judged(self._gateway.call(_call(event, delivery))))

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Write down what came of deliveries."""
        for work, delivery, due_at in self._store.settle_deliveries(settlements):
            if due_at is not None:
                self._told(replace(work, due_at=due_at))
            elif delivery.state == "dead":
                told = {"delivery_id": delivery.delivery_id, "reason": delivery.reason}
                _log.warning("a dead letter", extra=told)

    def _unwanted(self, delivery: Delivery) -> str | None:
        """Why nobody waits for it any more; None where somebody does. What is unavailable is not decided here."""
        resolved = self._gateway.resolved(delivery.tenant_id, delivery.extension_id)
        if resolved is None or resolved.resolution.install.install_id != delivery.install_id:
            return "uninstalled"
        subscription_id = delivery.delivery_id.split(".")[1]
        install = resolved.resolution.install
        return None if is_subscribed(install, resolved.manifest, subscription_id, self._clock()) else "not_subscribed"

    def _judged(self, delivery: Delivery, event: Event, work: Work, outcome: Outcome) -> Settlement:
        now = self._clock()
        tried = outcome.verdict != "wait"
        after = replace(
            delivery,
            attempts=delivery.attempts + tried,
            reason=outcome.reason,
            status=outcome.status,
            execution_id=outcome.execution_id,
        )
        if outcome.verdict == "done":
            return self._ended(after, work, "delivered")
        if outcome.verdict == "given_up" or (tried and after.attempts >= self._attempts):
            return self._ended(after, work, "dead", reason=outcome.reason)
        pause = pause_ms(after.attempts) if tried else wait_ms(now - delivery.created_at, outcome.retry_after_ms)
        due_at = min(now + pause, event.expires_at)
        return Settlement(work, replace(after, due_at=due_at, updated_at=now), due_at)

    def _ended(self, delivery: Delivery, work: Work, state: DeliveryState, reason: str | None = None) -> Settlement:
        ended = replace(delivery, state=state, reason=reason, due_at=None, updated_at=self._clock())
        return Settlement(work, ended, None)


def _wanted(event: Event | None, subscribed: Iterable[Subscription], now: int) -> list[Delivery]:
    """The deliveries that come of an event; of one that is not there any more, none."""
    if event is None:
        return []
    fitting = (one for one in subscribed if events.matches(one.topic, event.topic))
    return [delivery_of(event, one, now) for one in fitting if events.passes(one.filter, event.data)]


def _call(event: Event, delivery: Delivery) -> PlatformCall:
    headers = (
        ("content-type", events.MEDIA_TYPE),
        (EVENT_ID, event.event_id),
        (ATTEMPT, str(delivery.attempts + 1)),
    )
    return PlatformCall(
        request_id=new_id("req"),
        tenant_id=event.tenant_id,
        extension_id=delivery.extension_id,
        install_id=delivery.install_id,
        trigger="event",
        method="POST",
        path=delivery.path,
        headers=headers,
        body=events.cloud_event(event),
        depth=event.depth,
        caused_by=event.event_id,
    )

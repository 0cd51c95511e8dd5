"""Events on their way: from the store to the handlers, through the gateway's own policy.

    event     spread: a delivery for every subscription that it matches
    delivery  the handler is called; done, again, or a dead letter

Rules kept here:

- Whatever is read is read again from the store: a piece of work is ids and nothing else.
- A result is written on condition that the work is still ours. Where it is not, somebody else does it: at least once.
- A handler is called only where its install is still subscribed by what it consented to; otherwise the delivery is
  dropped, and says so.
- What waits for its install, or for the platform, is not counted as tried; when the event expires it is a dead letter.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from gateway.messages import GatewayResponse, PlatformCall
from gateway.outcomes import Outcome, judged, pause_ms, wait_ms
from gateway.resolve import Resolved
from oriel import events
from oriel.clock import now_ms
from oriel.ids import new_id
from oriel.store.event_records import Delivery, DeliveryState, Event, Work
from oriel.store.eventing import EventStore
from oriel.store.queueing import delivering
from oriel.subscribing import delivery_of, is_subscribed

ATTEMPTS = 10
EVENT_ID, ATTEMPT = "x-oriel-event", "x-oriel-attempt"

_log = logging.getLogger(__name__)


class Calls(Protocol):
    """The part of `gateway.core.Gateway` that is needed here."""

    def call(self, call: PlatformCall) -> GatewayResponse: ...
    def resolved(self, tenant_id: str, extension_id: str) -> Resolved | None: ...


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

    def spread(self, work: Work) -> None:
        """Find who is to be told of an event."""
        event = self._store.get_event(work.tenant_id, work.item_id)
        if event is None:
            self._store.release_work(work, None)
            return
        now = self._clock()
        wanted = [
            delivery_of(event, one, now)
            for one in self._store.list_subscriptions(work.tenant_id)
            if events.matches(one.topic, event.topic) and events.passes(one.filter, event.data)
        ]
        if self._store.spread_event(work, wanted):
            for delivery in wanted:
                self._told(delivering(delivery))

    def deliver(self, work: Work) -> None:
        """Call the handler, and write down what came of it."""
        delivery = self._store.get_delivery(work.tenant_id, work.item_id)
        if delivery is None or delivery.state != "pending":
            self._store.release_work(work, None)
            return
        event = self._store.get_event(work.tenant_id, delivery.event_id)
        if event is None or self._clock() >= event.expires_at:
            self._end(delivery, work, "dead", reason="expired")
        elif (unwanted := self._unwanted(delivery)) is not None:
            self._end(delivery, work, "dropped", reason=unwanted)
        else:
            self._settle(delivery, event, work, judged(self._gateway.call(_call(event, delivery))))

    def _unwanted(self, delivery: Delivery) -> str | None:
        """Why nobody waits for it any more; None where somebody does. What is unavailable is not decided here."""
        resolved = self._gateway.resolved(delivery.tenant_id, delivery.extension_id)
        if resolved is None or resolved.resolution.install.install_id != delivery.install_id:
            return "uninstalled"
        subscription_id = delivery.delivery_id.split(".")[1]
        install = resolved.resolution.install
        return None if is_subscribed(install, resolved.manifest, subscription_id, self._clock()) else "not_subscribed"

    def _settle(self, delivery: Delivery, event: Event, work: Work, outcome: Outcome) -> None:
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
            self._end(after, work, "delivered")
        elif outcome.verdict == "given_up" or (tried and after.attempts >= self._attempts):
            self._end(after, work, "dead", reason=outcome.reason)
        else:
            pause = pause_ms(after.attempts) if tried else wait_ms(now - delivery.created_at, outcome.retry_after_ms)
            due_at = min(now + pause, event.expires_at)
            self._store.settle_delivery(replace(after, due_at=due_at, updated_at=now), work, due_at)
            self._told(replace(work, due_at=due_at))

    def _end(self, delivery: Delivery, work: Work, state: DeliveryState, reason: str | None = None) -> None:
        ended = replace(delivery, state=state, reason=reason, due_at=None, updated_at=self._clock())
        if self._store.settle_delivery(ended, work, None) and state == "dead":
            _log.warning("a dead letter", extra={"delivery_id": delivery.delivery_id, "reason": reason})


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

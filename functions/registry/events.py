"""Events: emitted by the host product, looked at and sent again by a tenant's administrator.

Rules kept here:

- The tenant is the caller's. Whoever emits for the product may name one where its own token names none.
- Sending again never repeats what is under way: a dead letter is revived in its place, a replay is a delivery of its
  own, and one replay of a range may be asked for as often as one likes.
- What is sent again is written with the audit entry that names it, some at a time, each time in one transaction.
- Subscriptions follow their install (`oriel.following`).
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field

from oriel import events
from oriel.emitting import Emission, Emitter
from oriel.errors import Finding, InvalidInput, OrielError
from oriel.identity import Principal
from oriel.ids import new_id
from oriel.store.event_records import Delivery, Event, Subscription
from oriel.store.eventing import DELIVERIES_AT_ONCE
from oriel.store.queueing import delivering
from oriel.store.records import AuditEntry, Page
from oriel.subscribing import delivery_of
from registry.auditing import entry_for
from registry.core import Registry

MAX_AGE_MS = 14 * 86_400_000
MAX_REDRIVEN = 1_000
MAX_REPLAYED = 10_000
_PAGE = 100


class EventRequest(BaseModel):
    """What the product tells. `id` and `time` (Unix milliseconds) are its own: the same ones are the same event."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: Annotated[str, Field(max_length=events.MAX_TOPIC)]
    data: dict[str, Any] = Field(default_factory=dict)
    key: Annotated[str, Field(max_length=events.MAX_KEY)] | None = None
    id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    time: Annotated[int, Field(ge=0)] | None = None


class Events:
    """Events and deliveries of all tenants."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store, self._now, self._told = registry.store, registry.now, registry.told
        self._emitter = Emitter(registry.store, registry.limits.events, told=registry.told, clock=registry.now)

    def emit(self, tenant_id: str, request: EventRequest) -> tuple[Event, bool]:
        """Keep what the product tells; whether it is new.

        Raises:
            InvalidInput: `invalid_input`.
            OrielError: `rate_limited`.
        """
        self._check_identity(request)
        emission = Emission(
            tenant_id=tenant_id,
            source=events.PRODUCT,
            topic=request.topic,
            data=request.data,
            key=request.key,
            id=request.id,
            at=request.time,
        )
        event, new = self._emitter.emit(emission)
        return (event if new else self._store.get_event(tenant_id, event.event_id) or event), new

    def _check_identity(self, request: EventRequest) -> None:
        findings = []
        if (request.id is None) != (request.time is None):
            findings.append(Finding("id", "goes with 'time', and 'time' with 'id': together they name the event"))
        elif request.time is not None and abs(self._now() - request.time) > MAX_AGE_MS:
            findings.append(Finding("time", "lies more than 14 days away; it is Unix time in milliseconds"))
        if findings:
            raise InvalidInput("invalid_input", findings, subject="The event")

    def page(self, tenant_id: str, cursor: str | None, limit: int) -> Page[Event]:
        return self._store.list_events(tenant_id, cursor, limit)

    def get(self, tenant_id: str, event_id: str) -> tuple[Event, tuple[Delivery, ...]]:
        """An event and what became of it; `OrielError` `not_found`."""
        event = self._store.get_event(tenant_id, event_id)
        if event is None:
            raise OrielError("not_found", f"There is no event {event_id}.")
        return event, self._store.list_deliveries(tenant_id, event_id)

    def subscriptions(self, tenant_id: str) -> tuple[Subscription, ...]:
        return self._store.list_subscriptions(tenant_id)

    def dead_letters(self, tenant_id: str, cursor: str | None, limit: int) -> Page[Delivery]:
        return self._store.list_dead_letters(tenant_id, cursor, limit)

    def redrive(self, principal: Principal, delivery_id: str) -> Delivery:
        """Deliver a dead letter from the start; `OrielError` `not_found`, where it is none."""
        found = self._store.get_delivery(principal.require_tenant(), delivery_id)
        revived = self._revive(principal, delivery_id, [found]) if found is not None else ()
        if not revived:
            raise OrielError("not_found", f"There is no dead letter {delivery_id}.")
        return revived[0]

    def redrive_all(self, principal: Principal, extension_id: str | None) -> int:
        """All of a tenant's, or of one extension, at most 1,000 at once; how many there were."""
        letters = self._dead(principal.require_tenant(), extension_id)
        target = extension_id or "all extensions"
        return sum(len(self._revive(principal, target, some)) for some in _at_once(letters))

    def _dead(self, tenant_id: str, extension_id: str | None) -> list[Delivery]:
        found: list[Delivery] = []
        cursor: str | None = None
        while len(found) < MAX_REDRIVEN:
            page = self._store.list_dead_letters(tenant_id, cursor, _PAGE)
            found += [letter for letter in page.items if extension_id in {None, letter.extension_id}]
            if (cursor := page.cursor) is None:
                break
        return found[:MAX_REDRIVEN]

    def _revive(self, principal: Principal, target: str, dead: Sequence[Delivery]) -> tuple[Delivery, ...]:
        now = self._now()
        again = [
            replace(letter, state="pending", attempts=0, reason=None, status=None, due_at=now, updated_at=now)
            for letter in dead
        ]
        revived = self._store.revive_deliveries(again, self._entry(principal, "event.redrive", target))
        for delivery in revived:
            self._told(delivering(delivery))
        return revived

    def replay(self, principal: Principal, extension_id: str, since: int, until: int | None) -> int:
        """Deliver the events of a time once more to one extension; how many deliveries that are.

        Raises:
            OrielError: `extension_not_installed`; `invalid_input`, where it is more than 10,000.
        """
        tenant_id = principal.require_tenant()
        install = self._store.get_install(tenant_id, extension_id)
        if install is None:
            raise OrielError("extension_not_installed", f"{extension_id} is not installed.")
        own = [one for one in self._store.list_subscriptions(tenant_id) if one.install_id == install.install_id]
        now, again = self._now(), new_id("rpl")
        wanted = [
            delivery_of(event, one, now, again)
            for event in self._between(tenant_id, since, now if until is None else until)
            for one in own
            if events.matches(one.topic, event.topic) and events.passes(one.filter, event.data)
        ]
        for some in _at_once(wanted):
            entry = self._entry(principal, "event.replay", f"{extension_id} since {since}")
            self._store.put_deliveries(some, entry)
        for delivery in wanted[:_PAGE]:  # the rest is found without being told
            self._told(delivering(delivery))
        return len(wanted)

    def _entry(self, principal: Principal, action: str, target: str) -> AuditEntry:
        return entry_for(self._registry, principal, action, target, tenant_id=principal.tenant_id)

    def _between(self, tenant_id: str, since: int, until: int) -> Iterator[Event]:
        """The events of a time, the oldest first."""
        found: list[Event] = []
        cursor: str | None = None
        while True:
            page = self._store.list_events(tenant_id, cursor, _PAGE)
            found += [event for event in page.items if since <= event.created_at <= until]
            if len(found) > MAX_REPLAYED:
                raise OrielError("invalid_input", f"There are more than {MAX_REPLAYED:,} events in that time.")
            cursor = page.cursor
            if cursor is None or page.items[-1].created_at < since - MAX_AGE_MS:
                return reversed(found)


def _at_once(deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """As many at a time as one transaction takes."""
    for start in range(0, len(deliveries), DELIVERIES_AT_ONCE):
        yield deliveries[start : start + DELIVERIES_AT_ONCE]

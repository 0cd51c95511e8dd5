"""Subscriptions, events and their deliveries in DynamoDB.

Rules kept here:

- The subscriptions of an install are one item: they change together.
- A dead letter has a whole copy in a listing of its own, written in the transaction that made it one.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from oriel.store.dynamodb import table
from oriel.store.dynamodb.installs import DynamoInstalls, belongs_to
from oriel.store.dynamodb.items import Item, Value, key_item, plain_json, to_item, to_record, to_value
from oriel.store.dynamodb.queue import DynamoQueue, enqueued, moved
from oriel.store.dynamodb.requests import ABSENT, Answer, Cancelled, check, delete, expression, put, update
from oriel.store.dynamodb.table import Key
from oriel.store.errors import Conflict
from oriel.store.event_records import Delivery, Event, Subscription, Work
from oriel.store.eventing import DELIVERIES_AT_ONCE, Settlement, Spread
from oriel.store.queueing import delivering, expiry, minute_of, naming, spreading, too_many
from oriel.store.records import AuditEntry, Page
from oriel.values import from_plain, to_plain


class DynamoEvents(DynamoQueue, DynamoInstalls):
    """The `EventStore` part without schedules."""

    def replace_subscriptions(self, tenant_id: str, install_id: str, wanted: Sequence[Subscription]) -> None:
        gone = Conflict(f"There is no install {install_id} to subscribe.")
        extension_id = self._extension_of(tenant_id, install_id)
        if extension_id is None:
            if wanted:
                raise gone
            return
        key = table.subscription_set(tenant_id, install_id)
        item = key_item(key) | {"subscriptions": to_value([to_plain(one) for one in sorted(wanted, key=_by_id)])}
        owner = check(table.install(tenant_id, extension_id), belongs_to(install_id))
        try:
            self._requests.transact(owner, put(item) if wanted else delete(key))
        except Cancelled:
            raise gone from None

    def list_subscriptions(self, tenant_id: str) -> tuple[Subscription, ...]:
        sets = self._requests.query(table.subscriptions(tenant_id))
        return tuple(
            one for item in sets for one in from_plain(tuple[Subscription, ...], plain_json(item["subscriptions"]))
        )

    def put_event(self, event: Event, ceiling: int) -> bool:
        item = to_item(table.event(event.tenant_id, event.event_id), event, ttl=_ttl(event.expires_at))
        try:
            self._requests.transact(put(item, ABSENT), _counted(event, ceiling), *enqueued(spreading(event)))
        except Cancelled as cancelled:
            if 0 in cancelled.failed:
                return False
            raise too_many(event.source, ceiling) from None
        return True

    def get_event(self, tenant_id: str, event_id: str) -> Event | None:
        return self._one(Event, table.event(tenant_id, event_id))

    def get_events(self, tenant_id: str, event_ids: Collection[str]) -> Mapping[str, Event]:
        found = self._requests.get_many(table.event(tenant_id, event_id) for event_id in event_ids)
        return {key.sort: to_record(Event, item) for key, item in found.items()}

    def list_events(self, tenant_id: str, cursor: str | None = None, limit: int = 50) -> Page[Event]:
        return self._page(Event, table.events(tenant_id), cursor, limit, descending=True)

    def put_deliveries(self, wanted: Sequence[Delivery], entry: AuditEntry | None = None) -> tuple[Delivery, ...]:
        return self._put_some(wanted, _new, entry=entry)

    def spread_events(self, spreads: Sequence[Spread]) -> tuple[Spread, ...]:
        return tuple(one for one in spreads if self._spread(one.work, one.deliveries))

    def _spread(self, work: Work, wanted: Sequence[Delivery]) -> bool:
        """An event may have more subscriptions than a transaction takes writes: the last ones end its work."""
        last = len(wanted) - len(wanted) % DELIVERIES_AT_ONCE
        for start in range(0, last, DELIVERIES_AT_ONCE):
            self._put_some(wanted[start : start + DELIVERIES_AT_ONCE], _new)
        try:
            self._put_some(wanted[last:], _new, *moved(work, None))
        except Cancelled:
            return False
        if work.lane is not None:
            self._call_next(work.tenant_id, work.kind, work.lane)
        return True

    def _put_some(
        self,
        wanted: Sequence[Delivery],
        writes_of: Callable[[Delivery], Iterable[Answer]],
        *more: Answer,
        entry: AuditEntry | None = None,
    ) -> tuple[Delivery, ...]:
        """In one transaction, without those whose own conditions do not hold; those that were written.

        Raises `Cancelled` where a condition of `more` does not hold.
        """
        able = tuple(wanted)
        while able or more:
            writes = [(place, write) for place, delivery in enumerate(able) for write in writes_of(delivery)]
            named = entry and naming(entry, able)
            try:
                self._transact(*(write for _, write in writes), *more, entry=named)
            except Cancelled as cancelled:
                unable = {writes[failed][0] for failed in cancelled.failed if failed < len(writes)}
                if not unable:
                    raise
                able = tuple(delivery for place, delivery in enumerate(able) if place not in unable)
            else:
                break
        return able

    def get_deliveries(self, tenant_id: str, delivery_ids: Collection[str]) -> Mapping[str, Delivery]:
        found = self._requests.get_many(table.delivery(tenant_id, delivery_id) for delivery_id in delivery_ids)
        return {key.sort: to_record(Delivery, item) for key, item in found.items()}

    def get_delivery(self, tenant_id: str, delivery_id: str) -> Delivery | None:
        return self._one(Delivery, table.delivery(tenant_id, delivery_id))

    def list_deliveries(self, tenant_id: str, event_id: str) -> tuple[Delivery, ...]:
        return self._all(Delivery, table.deliveries(tenant_id), f"{event_id}.")

    def list_dead_letters(self, tenant_id: str, cursor: str | None = None, limit: int = 50) -> Page[Delivery]:
        return self._page(Delivery, table.dead_letters(tenant_id), cursor, limit, descending=True)

    def settle_deliveries(self, settlements: Sequence[Settlement]) -> tuple[Settlement, ...]:
        return tuple(one for one in settlements if self._settle_delivery(*one))

    def _settle_delivery(self, work: Work, delivery: Delivery, due_at: int | None) -> bool:
        changes = [put(_item(delivery))]
        if delivery.state == "dead":
            listed = Key(table.dead_letters(delivery.tenant_id), delivery.delivery_id)
            changes.append(put(to_item(listed, delivery, ttl=_ttl(delivery.expires_at))))
        return self._settle(work, due_at, *changes)

    def revive_deliveries(self, wanted: Sequence[Delivery], entry: AuditEntry | None = None) -> tuple[Delivery, ...]:
        return self._put_some(wanted, _revived, entry=entry)


def _new(delivery: Delivery) -> Iterable[Answer]:
    return put(_item(delivery), ABSENT), *enqueued(delivering(delivery))


def _revived(delivery: Delivery) -> Iterable[Answer]:
    is_dead = expression("#state = :dead", ["state"], dead=to_value("dead"))
    listed = Key(table.dead_letters(delivery.tenant_id), delivery.delivery_id)
    return put(_item(delivery), is_dead), delete(listed), *enqueued(delivering(delivery), is_new=False)


def _by_id(subscription: Subscription) -> str:
    return subscription.subscription_id


def _ttl(expires_at: int) -> Value:
    return to_value(-(-expires_at // 1000))


def _item(delivery: Delivery) -> Item:
    key = table.delivery(delivery.tenant_id, delivery.delivery_id)
    return to_item(key, delivery, ttl=_ttl(delivery.expires_at))


def _counted(event: Event, ceiling: int) -> Answer:
    """One more of its source in this minute, where it has not had as many as it may."""
    minute = minute_of(event.created_at)
    return update(
        table.emitted(event.tenant_id, event.source, minute),
        expression("SET #ttl = :ttl ADD emitted :one", ["ttl"], ttl=_ttl(expiry(minute)), one=to_value(1)),
        expression("attribute_not_exists(pk) OR emitted < :ceiling", ceiling=to_value(ceiling)),
    )

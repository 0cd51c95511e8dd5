"""Subscriptions, events and their deliveries in SQL."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, and_, bindparam, delete, exc, insert, select, update

from oriel.store.errors import Conflict
from oriel.store.event_records import Delivery, Event, Subscription
from oriel.store.eventing import Settlement, Spread
from oriel.store.queueing import delivering, expiry, minute_of, naming, spreading, too_many
from oriel.store.records import AuditEntry, Page
from oriel.store.sql.chain import append
from oriel.store.sql.database import parameters, to_row
from oriel.store.sql.queue import SqlQueue, move
from oriel.store.sql.row_security import Scope
from oriel.store.sql.tables import audit_head
from oriel.store.sql.tables import event as events
from oriel.store.sql.tables import event_delivery as deliveries
from oriel.store.sql.tables import event_rate as rates
from oriel.store.sql.tables import extension_event_subscription as subscriptions

T = TypeVar("T", Spread, Settlement)


class SqlEvents(SqlQueue):
    """The `EventStore` part without schedules."""

    def replace_subscriptions(self, tenant_id: str, install_id: str, wanted: Sequence[Subscription]) -> None:
        own = and_(subscriptions.c.tenant_id == tenant_id, subscriptions.c.install_id == install_id)

        def replace(connection: Connection) -> None:
            connection.execute(delete(subscriptions).where(own))
            if wanted:
                connection.execute(insert(subscriptions), [to_row(subscription) for subscription in wanted])

        try:
            self._write(Scope(tenant_id), replace)
        except exc.IntegrityError:
            raise Conflict(f"There is no install {install_id} to subscribe.") from None

    def list_subscriptions(self, tenant_id: str) -> tuple[Subscription, ...]:
        own = select(subscriptions).where(subscriptions.c.tenant_id == tenant_id)
        own = own.order_by(subscriptions.c.install_id, subscriptions.c.subscription_id)
        return self._all(Subscription, own, Scope(tenant_id))

    def put_event(self, event: Event, ceiling: int) -> bool:
        def put(connection: Connection) -> bool:
            if connection.execute(self._put_once, to_row(event)).one_or_none() is None:
                return False
            self._count(connection, event, ceiling)
            self._enqueue(connection, spreading(event))
            return True

        return self._write(Scope(event.tenant_id), put)

    def _count(self, connection: Connection, event: Event, ceiling: int) -> None:
        """One more of its source in this minute; `OrielError` `rate_limited`, which undoes the transaction."""
        minute = minute_of(event.created_at)
        row = {"tenant_id": event.tenant_id, "source": event.source, "minute": minute, "emitted": 1}
        row |= {"expires_at": expiry(minute), "ceiling": ceiling}
        if connection.execute(self._count_one, row).one_or_none() is None:
            raise too_many(event.source, ceiling)

    @cached_property
    def _put_once(self) -> Executable:
        new = self._upsert(events).values(parameters(events))
        return new.on_conflict_do_nothing().returning(events.c.event_id)

    @cached_property
    def _count_one(self) -> Executable:
        new = self._upsert(rates).values(parameters(rates))
        return new.on_conflict_do_update(
            index_elements=list(rates.primary_key),
            set_={"emitted": rates.c.emitted + 1},
            where=rates.c.emitted < bindparam("ceiling"),
        ).returning(rates.c.emitted)

    def get_event(self, tenant_id: str, event_id: str) -> Event | None:
        return self.get_events(tenant_id, [event_id]).get(event_id)

    def get_events(self, tenant_id: str, event_ids: Collection[str]) -> Mapping[str, Event]:
        some = select(events).where(events.c.tenant_id == tenant_id, events.c.event_id.in_(event_ids))
        return {event.event_id: event for event in self._all(Event, some, Scope(tenant_id))}

    def list_events(self, tenant_id: str, cursor: str | None = None, limit: int = 50) -> Page[Event]:
        own = select(events).where(events.c.tenant_id == tenant_id)
        return self._page(Event, own, events.c.event_id, cursor, limit, scope=Scope(tenant_id), descending=True)

    def put_deliveries(self, wanted: Sequence[Delivery], entry: AuditEntry | None = None) -> tuple[Delivery, ...]:
        return self._change(wanted, self._insert, entry)

    def spread_events(self, spreads: Sequence[Spread]) -> tuple[Spread, ...]:
        def spread(some: Sequence[Spread], connection: Connection) -> tuple[Spread, ...]:
            own = tuple(one for one in some if move(connection, one.work, None))
            self._insert(connection, [delivery for one in own for delivery in one.deliveries])
            return own

        return self._by_tenant(spreads, spread)

    def settle_deliveries(self, settlements: Sequence[Settlement]) -> tuple[Settlement, ...]:
        def settle(some: Sequence[Settlement], connection: Connection) -> tuple[Settlement, ...]:
            own = tuple(one for one in some if move(connection, one.work, one.due_at))
            if own:
                connection.execute(_REPLACE, [_named(one.delivery) for one in own])
            return own

        return self._by_tenant(settlements, settle)

    def _by_tenant(
        self, wanted: Sequence[T], change: Callable[[Sequence[T], Connection], tuple[T, ...]]
    ) -> tuple[T, ...]:
        """A tenant's at a time; those that were changed."""
        groups: dict[str, list[T]] = {}
        for one in wanted:
            groups.setdefault(one.work.tenant_id, []).append(one)
        writes = [(Scope(tenant_id), partial(change, some)) for tenant_id, some in groups.items()]
        return tuple(one for changed in self._write_each(writes) for one in changed)

    def _change(
        self,
        wanted: Sequence[Delivery],
        change: Callable[[Connection, Sequence[Delivery]], tuple[Delivery, ...]],
        entry: AuditEntry | None,
    ) -> tuple[Delivery, ...]:
        """Carry out `change` with the entry that names what it changed; none where that is nothing."""

        def put(connection: Connection) -> tuple[Delivery, ...]:
            changed = change(connection, wanted)
            if changed and entry is not None:
                append(connection, naming(entry, changed), self._upsert(audit_head))
            return changed

        return self._write(Scope(wanted[0].tenant_id), put) if wanted else ()

    def _insert(self, connection: Connection, wanted: Sequence[Delivery]) -> tuple[Delivery, ...]:
        if not wanted:
            return ()
        new = set(connection.execute(self._insert_new, [to_row(delivery) for delivery in wanted]).scalars())
        made = tuple(delivery for delivery in wanted if delivery.delivery_id in new)
        self._enqueue(connection, *map(delivering, made))
        return made

    def get_delivery(self, tenant_id: str, delivery_id: str) -> Delivery | None:
        return self.get_deliveries(tenant_id, [delivery_id]).get(delivery_id)

    @cached_property
    def _insert_new(self) -> Executable:
        new = self._upsert(deliveries).values(parameters(deliveries))
        return new.on_conflict_do_nothing().returning(deliveries.c.delivery_id)

    def get_deliveries(self, tenant_id: str, delivery_ids: Collection[str]) -> Mapping[str, Delivery]:
        some = select(deliveries).where(deliveries.c.tenant_id == tenant_id, deliveries.c.delivery_id.in_(delivery_ids))
        return {delivery.delivery_id: delivery for delivery in self._all(Delivery, some, Scope(tenant_id))}

    def list_deliveries(self, tenant_id: str, event_id: str) -> tuple[Delivery, ...]:
        own = select(deliveries).where(
            deliveries.c.tenant_id == tenant_id,
            deliveries.c.delivery_id > f"{event_id}.",
            deliveries.c.delivery_id < f"{event_id}/",
        )
        return self._all(Delivery, own.order_by(deliveries.c.delivery_id), Scope(tenant_id))

    def list_dead_letters(self, tenant_id: str, cursor: str | None = None, limit: int = 50) -> Page[Delivery]:
        own = select(deliveries).where(deliveries.c.tenant_id == tenant_id, deliveries.c.state == "dead")
        return self._page(
            Delivery, own, deliveries.c.delivery_id, cursor, limit, scope=Scope(tenant_id), descending=True
        )

    def revive_deliveries(self, wanted: Sequence[Delivery], entry: AuditEntry | None = None) -> tuple[Delivery, ...]:
        return self._change(wanted, self._revive, entry)

    def _revive(self, connection: Connection, wanted: Sequence[Delivery]) -> tuple[Delivery, ...]:
        def is_revived(delivery: Delivery) -> bool:
            dead = _REPLACE.where(deliveries.c.state == "dead")
            return connection.execute(dead, _named(delivery)).rowcount > 0

        revived = tuple(filter(is_revived, wanted))
        self._enqueue(connection, *map(delivering, revived))
        return revived


def _named(delivery: Delivery) -> dict[str, Any]:
    """The parameters of `_REPLACE`."""
    return {**to_row(delivery), "tenant_id_": delivery.tenant_id, "delivery_id_": delivery.delivery_id}


_REPLACE = (
    update(deliveries)
    .where(deliveries.c.tenant_id == bindparam("tenant_id_"), deliveries.c.delivery_id == bindparam("delivery_id_"))
    .values(parameters(deliveries))
)

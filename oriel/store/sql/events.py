"""Subscriptions, events and their deliveries in SQL."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, exc, insert, select, update

from oriel.store.errors import Conflict
from oriel.store.event_records import Delivery, Event, Subscription, Work
from oriel.store.queueing import delivering, expiry, minute_of, naming, spreading, too_many
from oriel.store.records import AuditEntry, Page
from oriel.store.sql.chain import append
from oriel.store.sql.database import to_row
from oriel.store.sql.queue import SqlQueue, move
from oriel.store.sql.row_security import Scope
from oriel.store.sql.tables import audit_head
from oriel.store.sql.tables import event as events
from oriel.store.sql.tables import event_delivery as deliveries
from oriel.store.sql.tables import event_rate as rates
from oriel.store.sql.tables import extension_event_subscription as subscriptions


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
        once = self._upsert(events).values(to_row(event)).on_conflict_do_nothing().returning(events.c.event_id)

        def put(connection: Connection) -> bool:
            if connection.execute(once).one_or_none() is None:
                return False
            self._count(connection, event, ceiling)
            self._enqueue(connection, spreading(event))
            return True

        return self._write(Scope(event.tenant_id), put)

    def _count(self, connection: Connection, event: Event, ceiling: int) -> None:
        """One more of its source in this minute; `OrielError` `rate_limited`, which undoes the transaction."""
        minute = minute_of(event.created_at)
        row = {"tenant_id": event.tenant_id, "source": event.source, "minute": minute, "emitted": 1}
        new = self._upsert(rates).values(**row, expires_at=expiry(minute))
        add = new.on_conflict_do_update(
            index_elements=list(rates.primary_key),
            set_={"emitted": rates.c.emitted + 1},
            where=rates.c.emitted < ceiling,
        ).returning(rates.c.emitted)
        if connection.execute(add).one_or_none() is None:
            raise too_many(event.source, ceiling)

    def get_event(self, tenant_id: str, event_id: str) -> Event | None:
        one = select(events).where(events.c.tenant_id == tenant_id, events.c.event_id == event_id)
        return self._one(Event, one, Scope(tenant_id))

    def list_events(self, tenant_id: str, cursor: str | None = None, limit: int = 50) -> Page[Event]:
        own = select(events).where(events.c.tenant_id == tenant_id)
        return self._page(Event, own, events.c.event_id, cursor, limit, scope=Scope(tenant_id), descending=True)

    def put_deliveries(self, wanted: Sequence[Delivery], entry: AuditEntry | None = None) -> tuple[Delivery, ...]:
        return self._change(wanted, self._insert, entry)

    def spread_event(self, work: Work, wanted: Sequence[Delivery]) -> bool:
        def spread(connection: Connection) -> bool:
            if not move(connection, work, None):
                return False
            self._insert(connection, wanted)
            return True

        return self._write(Scope(work.tenant_id), spread)

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
        once = self._upsert(deliveries).on_conflict_do_nothing().returning(deliveries.c.delivery_id)
        new = set(connection.execute(once, [to_row(delivery) for delivery in wanted]).scalars())
        made = tuple(delivery for delivery in wanted if delivery.delivery_id in new)
        self._enqueue(connection, *map(delivering, made))
        return made

    def get_delivery(self, tenant_id: str, delivery_id: str) -> Delivery | None:
        return self._one(Delivery, select(deliveries).where(_delivery(tenant_id, delivery_id)), Scope(tenant_id))

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

    def settle_delivery(self, delivery: Delivery, work: Work, due_at: int | None) -> bool:
        one = _delivery(delivery.tenant_id, delivery.delivery_id)
        return self._settle(work, due_at, update(deliveries).where(one).values(to_row(delivery)))

    def revive_deliveries(self, wanted: Sequence[Delivery], entry: AuditEntry | None = None) -> tuple[Delivery, ...]:
        return self._change(wanted, self._revive, entry)

    def _revive(self, connection: Connection, wanted: Sequence[Delivery]) -> tuple[Delivery, ...]:
        def is_revived(delivery: Delivery) -> bool:
            dead = and_(_delivery(delivery.tenant_id, delivery.delivery_id), deliveries.c.state == "dead")
            return connection.execute(update(deliveries).where(dead).values(to_row(delivery))).rowcount > 0

        revived = tuple(filter(is_revived, wanted))
        self._enqueue(connection, *map(delivering, revived))
        return revived


def _delivery(tenant_id: str, delivery_id: str) -> Any:
    return and_(deliveries.c.tenant_id == tenant_id, deliveries.c.delivery_id == delivery_id)

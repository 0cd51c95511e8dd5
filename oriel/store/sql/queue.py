"""The queue of work in SQL.

Rules kept here:

- A claim and a settlement are conditional on the `due_at` that was read, which is the lease: whoever comes second
  changes nothing.
- In PostgreSQL a claim takes rows that nobody else is taking (`SKIP LOCKED`); in SQLite writers come one by one.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, update

from oriel.store.event_records import Work, WorkKind
from oriel.store.sql.database import Database, to_record, to_row
from oriel.store.sql.row_security import DISPATCH, Scope
from oriel.store.sql.tables import due_work as queue


class SqlQueue(Database):
    """What is to be done, and who does it."""

    def claim_work(self, until: int, limit: int = 20) -> tuple[Work, ...]:
        now = self._clock()
        if not self._is_anything_due(now):
            return ()
        some = select(queue).where(_is_due(now)).order_by(queue.c.due_at).limit(limit)

        def take(connection: Connection) -> tuple[Work, ...]:
            found = connection.execute(some.with_for_update(skip_locked=True, of=queue)).mappings().all()
            taken = (self._take(connection, to_record(Work, row), until) for row in found)
            return tuple(work for work in taken if work is not None)

        return self._write(DISPATCH, take)

    def _is_anything_due(self, now: int) -> bool:
        """A look that makes no writer wait: most claims find nothing."""
        with self._read(DISPATCH) as connection:
            return connection.execute(select(queue.c.due_at).where(queue.c.due_at <= now).limit(1)).first() is not None

    def claim_item(self, tenant_id: str, kind: WorkKind, item_id: str, until: int) -> Work | None:
        one = select(queue).where(_item(tenant_id, kind, item_id), _is_due(self._clock()))

        def take(connection: Connection) -> Work | None:
            row = connection.execute(one.with_for_update(of=queue)).mappings().one_or_none()
            return None if row is None else self._take(connection, to_record(Work, row), until)

        return self._write(Scope(tenant_id), take)

    def release_work(self, work: Work, due_at: int | None) -> bool:
        return self._write(Scope(work.tenant_id), lambda connection: move(connection, work, due_at))

    def _take(self, connection: Connection, work: Work, until: int) -> Work | None:
        if not move(connection, work, until):
            return None
        return Work(tenant_id=work.tenant_id, kind=work.kind, item_id=work.item_id, lane=work.lane, due_at=until)

    def _settle(self, work: Work, due_at: int | None, change: Any) -> bool:
        """Move the work and carry out `change`, or neither where the work is no longer the caller's."""

        def settle(connection: Connection) -> bool:
            if not move(connection, work, due_at):
                return False
            connection.execute(change)
            return True

        return self._write(Scope(work.tenant_id), settle)

    def _enqueue(self, connection: Connection, *items: Work) -> None:
        """Put items into the queue, or move those that are there."""
        if items:
            new = self._upsert(queue)
            put = new.on_conflict_do_update(
                index_elements=list(queue.primary_key), set_={"due_at": new.excluded.due_at}
            )
            connection.execute(put, [to_row(work) for work in items])


def dequeue(connection: Connection, tenant_id: str, kind: WorkKind, item_id: str) -> None:
    """Take an item out of the queue, whoever has it."""
    connection.execute(delete(queue).where(_item(tenant_id, kind, item_id)))


def move(connection: Connection, work: Work, due_at: int | None) -> bool:
    """Give an item another time, or take it out of the queue; False where it is no longer the caller's."""
    mine = and_(_item(work.tenant_id, work.kind, work.item_id), queue.c.due_at == work.due_at)
    if due_at is None:
        return connection.execute(delete(queue).where(mine)).rowcount > 0
    return connection.execute(update(queue).where(mine).values(due_at=due_at)).rowcount > 0


def _item(tenant_id: str, kind: WorkKind, item_id: str) -> ColumnElement[bool]:
    return and_(queue.c.tenant_id == tenant_id, queue.c.kind == kind, queue.c.item_id == item_id)


def _is_due(now: int) -> ColumnElement[bool]:
    """Due, and the first of its lane."""
    other = queue.alias("earlier")
    earlier = and_(
        other.c.tenant_id == queue.c.tenant_id, other.c.lane == queue.c.lane, other.c.item_id < queue.c.item_id
    )
    return and_(queue.c.due_at <= now, ~exists().where(earlier))

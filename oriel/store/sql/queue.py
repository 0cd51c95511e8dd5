"""The queue of work in SQL.

Rules kept here:

- A claim and a settlement are conditional on the `due_at` that was read, which is the lease: whoever comes second
  changes nothing.
- Who has work that is due is read before anybody is made to wait: most claims find nothing.
- In PostgreSQL a claim takes rows that nobody else is taking (`SKIP LOCKED`); in SQLite writers come one by one.
- These statements run for every event: they are made once, and only their parameters are new.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Executable, and_, bindparam, delete, exists, select, update

from oriel.store.event_records import Work, WorkKind
from oriel.store.queueing import ANY, Turns
from oriel.store.sql.database import Database, parameters, to_record, to_row
from oriel.store.sql.row_security import DISPATCH, Scope
from oriel.store.sql.tables import due_work as queue


class SqlQueue(Database):
    """What is to be done, and who does it."""

    def claim_work(self, until: int, limit: int = 20, turns: Turns = ANY) -> tuple[Work, ...]:
        now = self._clock()
        waiting = self._rows(_WHO_WAITS, DISPATCH, {"now": now})
        shares = turns.shares((row["tenant_id"] for row in waiting), limit)
        if not shares:
            return ()

        def take(connection: Connection) -> tuple[Work, ...]:
            found: list[Work] = []
            for tenant_id, share in shares:
                asked = {"tenant_id": tenant_id, "now": now, "limit": min(share, limit - len(found))}
                rows = connection.execute(_SOME_DUE, asked).mappings() if asked["limit"] else ()
                found += [to_record(Work, row) for row in rows]
            return _taken(connection, found, until)

        return self._write(DISPATCH, take)

    def claim_item(self, tenant_id: str, kind: WorkKind, item_id: str, until: int) -> Work | None:
        one = {"tenant_id": tenant_id, "kind": kind, "item_id": item_id, "now": self._clock()}

        def take(connection: Connection) -> Work | None:
            row = connection.execute(_ONE_DUE, one).mappings().one_or_none()
            return None if row is None else _taken(connection, [to_record(Work, row)], until)[0]

        return self._write(Scope(tenant_id), take)

    def release_work(self, work: Work, due_at: int | None) -> bool:
        return self._write(Scope(work.tenant_id), lambda connection: move(connection, work, due_at))

    def _settle(self, work: Work, due_at: int | None, change: Any, values: dict[str, Any]) -> bool:
        """Move the work and carry out `change`, or neither where the work is no longer the caller's."""

        def settle(connection: Connection) -> bool:
            if not move(connection, work, due_at):
                return False
            connection.execute(change, values)
            return True

        return self._write(Scope(work.tenant_id), settle)

    def _enqueue(self, connection: Connection, *items: Work) -> None:
        """Put items into the queue, or move those that are there."""
        if items:
            connection.execute(self._put_or_move, [to_row(work) for work in items])

    @cached_property
    def _put_or_move(self) -> Executable:
        new = self._upsert(queue).values(parameters(queue))
        return new.on_conflict_do_update(index_elements=list(queue.primary_key), set_={"due_at": new.excluded.due_at})


def dequeue(connection: Connection, tenant_id: str, kind: WorkKind, item_id: str) -> None:
    """Take an item out of the queue, whoever has it."""
    connection.execute(delete(queue).where(_ITEM), {"tenant_id_": tenant_id, "kind_": kind, "item_id_": item_id})


def move(connection: Connection, work: Work, due_at: int | None) -> bool:
    """Give an item another time, or take it out of the queue; False where it is no longer the caller's."""
    if due_at is None:
        return connection.execute(_END, _as_taken(work)).rowcount > 0
    return connection.execute(_MOVE, {**_as_taken(work), "due_at": due_at}).rowcount > 0


def _taken(connection: Connection, found: Iterable[Work], until: int) -> tuple[Work, ...]:
    """What this transaction alone may take, given another time."""
    moves = [{**_as_taken(work), "due_at": until} for work in found]
    if moves:
        connection.execute(_MOVE, moves)
    return tuple(replace(work, due_at=until) for work in found)


def _as_taken(work: Work) -> dict[str, Any]:
    return {"tenant_id_": work.tenant_id, "kind_": work.kind, "item_id_": work.item_id, "due_at_": work.due_at}


_ITEM = and_(*(queue.c[name] == bindparam(f"{name}_") for name in ("tenant_id", "kind", "item_id")))
_MINE = and_(_ITEM, queue.c.due_at == bindparam("due_at_"))
_END = delete(queue).where(_MINE)
_MOVE = update(queue).where(_MINE).values(due_at=bindparam("due_at"))
_WHO_WAITS = select(queue.c.tenant_id).where(queue.c.due_at <= bindparam("now")).distinct()
_EARLIER = queue.alias("earlier")
_IS_DUE = and_(
    queue.c.due_at <= bindparam("now"),
    ~exists().where(
        _EARLIER.c.tenant_id == queue.c.tenant_id,
        _EARLIER.c.lane == queue.c.lane,
        _EARLIER.c.item_id < queue.c.item_id,
    ),
)
"""Due, and the first of its lane."""
_ONE_DUE = (
    select(queue)
    .where(*(queue.c[name] == bindparam(name) for name in ("tenant_id", "kind", "item_id")), _IS_DUE)
    .with_for_update(of=queue)
)
_SOME_DUE = (
    select(queue)
    .where(queue.c.tenant_id == bindparam("tenant_id"), _IS_DUE)
    .order_by(queue.c.due_at, queue.c.item_id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, of=queue)
)

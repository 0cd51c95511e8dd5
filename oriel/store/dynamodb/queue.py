"""The queue of work in DynamoDB.

An item is up to three: where it stands (`work`, the truth), its place among what is due, and its place in its lane.

Rules kept here:

- The three change in one transaction, on condition of the `due_at` that was read: whoever comes second changes nothing.
- What is due stands in a few partitions, ordered by time, so that a claim is a few queries and nothing is scanned. A
  tenant's is in one of them: a backlog that is longer than what a claim looks at holds up those few others that share
  the partition, and them only where nobody is told of their work (`oriel.bell`).
- An item that is not the first of its lane is put off for a while when a claim meets it; the one before it calls it
  when it is done. Where that call is lost, the while is all that is lost.
"""

from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import key_item, to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.requests import ABSENT, Answer, Cancelled, check, delete, expression, put, update
from oriel.store.dynamodb.table import Key
from oriel.store.event_records import Work, WorkKind
from oriel.store.queueing import ANY, Turns

PUT_OFF_MS = 10_000
WINDOW = 50
"""How many of a partition a claim looks at, or as many as it takes."""


class DynamoQueue(Part):
    """What is to be done, and who does it."""

    def claim_work(self, until: int, limit: int = 20, turns: Turns = ANY) -> tuple[Work, ...]:
        waiting: dict[str, list[Work]] = {}
        for shard in range(table.DUE_SHARDS):
            for work in islice(self._due(shard), max(WINDOW, limit)):
                waiting.setdefault(work.tenant_id, []).append(work)
        taken: list[Work] = []
        for tenant_id, share in turns.shares(waiting, limit):
            able = filter(None, (self._take(work, until) for work in waiting[tenant_id]))
            taken += islice(able, min(share, limit - len(taken)))
        return tuple(taken)

    def claim_item(self, tenant_id: str, kind: WorkKind, item_id: str, until: int) -> Work | None:
        work = self._one(Work, table.work(tenant_id, kind, item_id))
        if work is None or work.due_at > self._clock():
            return None
        return self._take(work, until)

    def release_work(self, work: Work, due_at: int | None) -> bool:
        return self._settle(work, due_at)

    def _due(self, shard: int) -> Iterator[Work]:
        """Those whose time has come, the oldest first."""
        until_now = ("0", table.due_until(self._clock()))
        for item in self._requests.query(table.due_shard(shard), between=until_now, page=WINDOW):
            yield to_record(Work, item)

    def _take(self, work: Work, until: int) -> Work | None:
        if not self._is_first(work):
            self._settle(work, self._clock() + PUT_OFF_MS)
            return None
        return replace(work, due_at=until) if self._settle(work, until) else None

    def _is_first(self, work: Work) -> bool:
        return work.lane is None or self._first(work.tenant_id, work.lane) in {None, work.item_id}

    def _first(self, tenant_id: str, lane: str) -> str | None:
        first = next(self._requests.query(table.lane(tenant_id, lane), page=1), None)
        return None if first is None else str(first["sk"]["S"])

    def _settle(self, work: Work, due_at: int | None, *changes: Answer) -> bool:
        """Move the work and carry out the changes, or none of it where the work is no longer the caller's."""
        try:
            self._requests.transact(*moved(work, due_at), *changes)
        except Cancelled:
            return False
        if due_at is None and work.lane is not None:
            self._call_next(work.tenant_id, work.kind, work.lane)
        return True

    def _call_next(self, tenant_id: str, kind: WorkKind, lane: str) -> None:
        item_id = self._first(tenant_id, lane)
        following = None if item_id is None else self._one(Work, table.work(tenant_id, kind, item_id))
        now = self._clock()
        if following is not None and following.due_at > now:
            self._settle(following, now)


def enqueued(work: Work, *, is_new: bool = True) -> Iterator[Answer]:
    """The writes that put an item into the queue."""
    yield put(to_item(table.work(work.tenant_id, work.kind, work.item_id), work), ABSENT if is_new else None)
    yield put(to_item(table.due(work), work))
    if work.lane is not None:
        yield put(key_item(Key(table.lane(work.tenant_id, work.lane), work.item_id)))


def moved(work: Work, due_at: int | None) -> Iterator[Answer]:
    """The writes that give an item another time, or take it out of the queue."""
    key = table.work(work.tenant_id, work.kind, work.item_id)
    mine = expression("due_at = :before", before=to_value(work.due_at))
    if due_at is None:
        yield delete(key, mine)
        yield delete(table.due(work))
        if work.lane is not None:
            yield delete(Key(table.lane(work.tenant_id, work.lane), work.item_id))
    elif due_at == work.due_at:
        yield check(key, mine)
    else:
        later = replace(work, due_at=due_at)
        yield update(key, expression("SET due_at = :after", after=to_value(due_at)), mine)
        yield delete(table.due(work))
        yield put(to_item(table.due(later), later))

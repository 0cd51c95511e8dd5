"""Guests' key-value records in DynamoDB.

Rules kept here:

- An expired record is as if it were not there, though DynamoDB deletes it days later: no method shows it, and
  `absent` and revisions are judged without it.
- A condition is part of the request that writes, so that no second writer comes between the two. One write is one
  request; several are read first and then written in one transaction, on condition that nothing changed meanwhile.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Literal

from oriel.store.cursors import encode_cursor
from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, key_of, number, to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part, position
from oriel.store.dynamodb.requests import Answer, Cancelled, ConditionFailed, Expression, expression, put
from oriel.store.dynamodb.table import Key
from oriel.store.errors import Conflict, StoreUnavailable
from oriel.store.guests import GuestRecord, GuestWrite
from oriel.store.records import Page

TURNS = 20
_LIVE = "(attribute_not_exists(expires_at) OR expires_at > :now)"


class DynamoGuests(Part):
    """The `GuestStore` part."""

    def guest_get(self, tenant_id: str, install_id: str, keys: Sequence[str]) -> tuple[GuestRecord, ...]:
        found = self._live(tenant_id, install_id, keys)
        return tuple(found[key] for key in dict.fromkeys(keys) if key in found)

    def guest_put(self, tenant_id: str, install_id: str, writes: Sequence[GuestWrite]) -> tuple[int, ...]:
        if len(writes) == 1:
            return (self._put_one(tenant_id, install_id, writes[0]),)
        if not writes:
            return ()
        for _ in range(TURNS):
            planned = _Plan(self._live(tenant_id, install_id, [write.key for write in writes]), self._clock())
            revisions = tuple(planned.add(tenant_id, install_id, write) for write in writes)
            try:
                self._requests.transact(*planned.writes())
            except Cancelled:
                continue  # another writer came between: judge again by what is there now
            return revisions
        raise StoreUnavailable("The records are written by too many at once.")

    def guest_delete(self, tenant_id: str, install_id: str, key: str, revision: int | None = None) -> bool:
        here = table.guest_record(tenant_id, install_id, key)
        now = self._clock()
        condition = _live(now) if revision is None else _at(revision, now)
        try:
            return self._requests.delete(here, condition)
        except ConditionFailed:
            stored = self._live(tenant_id, install_id, [key]).get(key)
        if stored is None or revision is None:
            return False
        raise Conflict(f"The record {key!r} is at revision {stored.revision}, not {revision}.")

    def guest_list(
        self, tenant_id: str, install_id: str, prefix: str, cursor: str | None, limit: int
    ) -> Page[GuestRecord]:
        begins, after = table.guest_sort(prefix), None
        if cursor is not None:
            after = table.guest_sort(position(cursor, table.MAX_SORT_BYTES - 1))
        if after is not None and not after.startswith(begins):
            if after > begins:
                return Page(items=())
            after = None
        found = self._requests.query(
            table.guest_records(tenant_id, install_id),
            begins=begins,
            after=after,
            page=limit + 1,
            only=expression(_LIVE, now=to_value(self._clock())),
        )
        items = [to_record(GuestRecord, item) for item in islice(found, limit + 1)]
        if len(items) <= limit:
            return Page(items=tuple(items))
        return Page(items=tuple(items[:limit]), cursor=encode_cursor(items[limit - 1].key.encode()))

    def _live(self, tenant_id: str, install_id: str, keys: Iterable[str]) -> dict[str, GuestRecord]:
        items = self._requests.get_many(table.guest_record(tenant_id, install_id, key) for key in keys)
        records = [to_record(GuestRecord, item) for item in items.values()]
        now = self._clock()
        return {record.key: record for record in records if record.expires_at is None or record.expires_at > now}

    def _put_one(self, tenant_id: str, install_id: str, write: GuestWrite) -> int:
        """One request, but where an expired record has the key of a write that is not conditional."""
        now = self._clock()
        if write.when != "always":
            revision = 1 if write.when == "absent" else write.when + 1
            try:
                self._requests.put(*_conditional(_record(tenant_id, install_id, write, revision, now), write.when, now))
            except ConditionFailed:
                raise _refused(write) from None
            return revision
        record = _record(tenant_id, install_id, write, 1, now)
        for _ in range(TURNS):
            with suppress(ConditionFailed):
                return number(self._requests.update(*_next_revision(record, now)), "revision")
            with suppress(ConditionFailed):
                self._requests.put(*_conditional(record, "absent", now))
                return 1
        raise StoreUnavailable(f"The record {write.key!r} is written by too many at once.")


class _Plan:
    """Several writes, judged one after the other by what was stored and what those before them made of it."""

    def __init__(self, stored: dict[str, GuestRecord], now: int) -> None:
        self._stored, self._now = stored, now
        self._after: dict[str, GuestRecord] = {}

    def add(self, tenant_id: str, install_id: str, write: GuestWrite) -> int:
        """The new revision; `Conflict`."""
        current = self._after.get(write.key) or self._stored.get(write.key)
        revision = 0 if current is None else current.revision
        if write.when != "always" and revision != (0 if write.when == "absent" else write.when):
            raise _refused(write)
        self._after[write.key] = _record(tenant_id, install_id, write, revision + 1, self._now)
        return revision + 1

    def writes(self) -> Iterator[Answer]:
        """Each record in its last form, on condition that what is stored is what was read."""
        for key, record in self._after.items():
            stored = self._stored.get(key)
            yield put(*_conditional(record, "absent" if stored is None else stored.revision, self._now))


def _record(tenant_id: str, install_id: str, write: GuestWrite, revision: int, now: int) -> GuestRecord:
    return GuestRecord(
        tenant_id=tenant_id,
        install_id=install_id,
        key=write.key,
        value=write.value,
        text=write.text,
        revision=revision,
        updated_at=now,
        expires_at=write.expires_at,
    )


def _item(record: GuestRecord) -> Item:
    key = table.guest_record(record.tenant_id, record.install_id, record.key)
    return to_item(key, record, ttl=table.ttl(record.expires_at))


def _conditional(record: GuestRecord, when: Literal["absent"] | int, now: int) -> tuple[Item, Expression]:
    if when == "absent":
        return _item(record), expression("attribute_not_exists(pk) OR expires_at <= :now", now=to_value(now))
    return _item(record), _at(when, now)


def _next_revision(record: GuestRecord, now: int) -> tuple[Key, Expression, Expression]:
    """The update that writes over a live record, or where there is none."""
    item = _item(record)
    names = [name for name in item if name not in {table.PARTITION, table.SORT, "revision"}]
    sets = ", ".join(f"#{name} = :{name}" for name in names)
    gone = [name for name in ("expires_at", table.TTL) if name not in item]
    change = expression(
        f"SET {sets}, #revision = if_not_exists(#revision, :zero) + :one"
        + (f" REMOVE #{', #'.join(gone)}" if gone else ""),
        (*names, *gone, "revision"),
        **{name: item[name] for name in names},
        zero=to_value(0),
        one=to_value(1),
    )
    return key_of(item), change, expression(f"attribute_not_exists(pk) OR {_LIVE}", now=to_value(now))


def _live(now: int) -> Expression:
    return expression(f"attribute_exists(pk) AND {_LIVE}", now=to_value(now))


def _at(revision: int, now: int) -> Expression:
    return expression(
        f"#revision = :revision AND {_LIVE}", ["revision"], revision=to_value(revision), now=to_value(now)
    )


def _refused(write: GuestWrite) -> Conflict:
    wanted = "is there already" if write.when == "absent" else f"is not at revision {write.when}"
    return Conflict(f"The record {write.key!r} {wanted}.")

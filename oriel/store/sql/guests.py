"""Guests' key-value records in SQL.

Rules kept here:

- An expired record is as if it were not there: no method shows it, and `absent` and revisions are judged without it.
- A condition is part of the statement that writes, so that no second writer comes between the two.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Update, and_, case, delete, not_, or_, select, tuple_, update

from oriel.store.cursors import decode_cursor, encode_cursor
from oriel.store.errors import Conflict
from oriel.store.guests import GuestRecord, GuestWrite
from oriel.store.records import Page
from oriel.store.sql.database import Database
from oriel.store.sql.row_security import PURGE, Scope
from oriel.store.sql.tables import EXPIRING
from oriel.store.sql.tables import guest_record as table


class SqlGuests(Database):
    """The `GuestStore` part."""

    def guest_get(self, tenant_id: str, install_id: str, keys: Sequence[str]) -> tuple[GuestRecord, ...]:
        wanted = [key.encode() for key in dict.fromkeys(keys)]
        statement = select(table).where(_of(tenant_id, install_id), table.c.key.in_(wanted), _live(self._clock()))
        with self._read(Scope(tenant_id)) as connection:
            found = {row["key"]: _record(row) for row in connection.execute(statement).mappings()}
        return tuple(found[key] for key in wanted if key in found)

    def guest_put(self, tenant_id: str, install_id: str, writes: Sequence[GuestWrite]) -> tuple[int, ...]:
        now = self._clock()

        def put(connection: Connection) -> tuple[int, ...]:
            return tuple(self._write_one(connection, tenant_id, install_id, write, now) for write in writes)

        return self._write(Scope(tenant_id), put)

    def guest_delete(self, tenant_id: str, install_id: str, key: str, revision: int | None = None) -> bool:
        here = and_(_of(tenant_id, install_id), table.c.key == key.encode(), _live(self._clock()))

        def remove(connection: Connection) -> bool:
            stored = connection.execute(select(table.c.revision).where(here).with_for_update()).scalar_one_or_none()
            if stored is None:
                return False
            if revision is not None and stored != revision:
                raise Conflict(f"The record {key!r} is at revision {stored}, not {revision}.")
            return connection.execute(delete(table).where(here)).rowcount > 0

        return self._write(Scope(tenant_id), remove)

    def guest_list(
        self, tenant_id: str, install_id: str, prefix: str, cursor: str | None, limit: int
    ) -> Page[GuestRecord]:
        start = prefix.encode()
        statement = select(table).where(_of(tenant_id, install_id), table.c.key >= start, _live(self._clock()))
        if start:
            statement = statement.where(table.c.key < _after_prefix(start))
        if cursor is not None:
            statement = statement.where(table.c.key > decode_cursor(cursor))
        with self._read(Scope(tenant_id)) as connection:
            rows = connection.execute(statement.order_by(table.c.key).limit(limit + 1)).mappings().all()
        items = tuple(_record(row) for row in rows[:limit])
        return Page(items=items, cursor=encode_cursor(rows[limit - 1]["key"]) if len(rows) > limit else None)

    def purge_expired(self, limit: int = 1_000) -> int:
        return sum(self._purge(kind, limit) for kind in EXPIRING)

    def _purge(self, kind: Table, limit: int) -> int:
        expired = kind.c.expires_at <= self._clock()
        key = list(kind.primary_key)
        some = select(*key).where(expired).order_by(kind.c.expires_at).limit(limit)
        return self._delete(delete(kind).where(tuple_(*key).in_(some), expired), PURGE)

    def _write_one(self, connection: Connection, tenant_id: str, install_id: str, write: GuestWrite, now: int) -> int:
        key = write.key.encode()
        value = {
            "value": write.value,
            "text": write.text,
            "expires_at": write.expires_at,
            "updated_at": now,
        }
        statement: Any
        if isinstance(write.when, int):
            here = and_(_of(tenant_id, install_id), table.c.key == key, _live(now))
            statement = _raise_revision(write.when).where(here).values(value)
        else:
            new = self._upsert(table).values(tenant_id=tenant_id, install_id=install_id, key=key, revision=1, **value)
            statement = new.on_conflict_do_update(
                index_elements=list(table.primary_key),
                set_=value | {"revision": case((_live(now), table.c.revision + 1), else_=1)},
                where=not_(_live(now)) if write.when == "absent" else None,
            )
        revision: int | None = connection.execute(statement.returning(table.c.revision)).scalar_one_or_none()
        if revision is None:
            wanted = "is there already" if write.when == "absent" else f"is not at revision {write.when}"
            raise Conflict(f"The record {write.key!r} {wanted}.")
        return revision


def _raise_revision(stored: int) -> Update:
    return update(table).where(table.c.revision == stored).values(revision=stored + 1)


def _of(tenant_id: str, install_id: str) -> ColumnElement[bool]:
    return and_(table.c.tenant_id == tenant_id, table.c.install_id == install_id)


def _live(now: int) -> ColumnElement[bool]:
    return or_(table.c.expires_at.is_(None), table.c.expires_at > now)


def _after_prefix(prefix: bytes) -> bytes:
    """The first key after all that start with `prefix`; UTF-8 has no byte 0xFF, so the last byte can be raised."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def _record(row: Any) -> GuestRecord:
    return GuestRecord(**{**row, "key": row["key"].decode()})

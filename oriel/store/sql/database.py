"""Transactions and the few statements that every part of the SQL store is made of.

Rules kept here:

- A read and a write are one short transaction each, which says at its start whose rows it is about. In SQLite, writes
  that wait for each other share one, and what one statement reads needs none.
- A write is a function that can be run again: one that loses against another writer (a deadlock, a serialisation
  failure) has changed nothing, and is tried anew a few times.
- A change and its audit entry are one transaction. The head of the entry's chain is taken last, and held to its end.
- A database that does not answer raises `StoreUnavailable`; a fault of ours is not dressed up as one.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Delete,
    Engine,
    RowMapping,
    Select,
    Table,
    bindparam,
    exc,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from oriel.store.cursors import decode_text_cursor, encode_cursor
from oriel.store.errors import Conflict, StoreUnavailable
from oriel.store.records import AuditEntry, Page
from oriel.store.sql.chain import append, scope_of
from oriel.store.sql.postgresql import STATEMENT_TIMEOUT_MS
from oriel.store.sql.row_security import NOBODY, Scope, enter
from oriel.store.sql.sqlite import ALONE, WRITES, turn_of
from oriel.store.sql.tables import audit_head
from oriel.store.sql.together import Together
from oriel.values import from_plain, to_plain

R = TypeVar("R")

ATTEMPTS = 5
BACKOFF_SECONDS = 0.02
_LOST_TO_ANOTHER = frozenset({"40001", "40P01"})  # SQLSTATE: serialization_failure, deadlock_detected
_UNAVAILABLE = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)


class Database:
    """What the parts of the store share: an engine, transactions, and records to and from rows.

    Args:
        clock: the time in Unix milliseconds; decides what has expired.
        check: called with the engine before the first transaction, until it raises nothing.
    """

    def __init__(self, engine: Engine, clock: Callable[[], int], check: Callable[[Engine], None] | None = None) -> None:
        self._engine, self._check = engine, check
        self._writer = engine.execution_options(**{WRITES: True})
        self._is_postgresql = engine.dialect.name == "postgresql"
        self._together: Together | None = None
        if not self._is_postgresql:
            self._together = Together(turn_of(engine), lambda: self._transaction(self._writer, NOBODY))
        self._alone = engine.execution_options(**{ALONE: not self._is_postgresql})
        self._clock = clock

    def ping(self) -> None:
        with self._read() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _read(self, scope: Scope = NOBODY) -> Iterator[Connection]:
        with self._transaction(self._engine, scope) as connection:
            yield connection

    def _write(self, scope: Scope, work: Callable[[Connection], R], entry: AuditEntry | None = None) -> R:
        """Run `work` in one transaction, and again where it lost against another writer.

        With `entry`, which is written unless `work` gives False: it then found nothing to change.
        """
        scope = scope_of(entry) if entry is not None and scope == NOBODY else scope

        def write(connection: Connection) -> R:
            result = work(connection)
            if entry is not None and result is not False:
                append(connection, entry, self._upsert(audit_head))
            return result

        return self._alone_and_again(scope, write) if self._together is None else self._together.write(write)

    def _write_each(self, writes: Sequence[tuple[Scope, Callable[[Connection], R]]]) -> list[R]:
        """Several writes, each done or not by itself; what they gave."""
        if self._together is None:
            return [self._write(scope, work) for scope, work in writes]
        return self._together.write_all([work for _, work in writes])

    def _alone_and_again(self, scope: Scope, write: Callable[[Connection], R]) -> R:
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(random.uniform(0, BACKOFF_SECONDS * 2**attempt))  # noqa: S311 - it only spreads writers
            try:
                with self._transaction(self._writer, scope) as connection:
                    return write(connection)
            except _LostToAnother:
                continue
        raise StoreUnavailable(f"The write lost against others {ATTEMPTS} times.")

    @contextmanager
    def _transaction(self, engine: Engine, scope: Scope) -> Iterator[Connection]:
        if self._check is not None:
            self._check(self._engine)
            self._check = None
        with translated(), engine.begin() as connection:
            if self._is_postgresql:
                enter(connection, scope, STATEMENT_TIMEOUT_MS)
            yield connection

    def _upsert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An insert that knows `on_conflict_do_…` in this database's dialect."""
        return postgresql.insert(table) if self._is_postgresql else sqlite.insert(table)

    def _one(self, kind: type[R], statement: Select[Any], scope: Scope = NOBODY) -> R | None:
        rows = self._rows(statement, scope)
        if len(rows) > 1:
            raise exc.MultipleResultsFound
        return to_record(kind, rows[0]) if rows else None

    def _all(self, kind: type[R], statement: Select[Any], scope: Scope = NOBODY) -> tuple[R, ...]:
        return tuple(to_record(kind, row) for row in self._rows(statement, scope))

    def _rows(
        self, statement: Select[Any], scope: Scope, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[RowMapping]:
        """What one statement reads."""
        with self._transaction(self._alone, scope) as connection:
            return connection.execute(statement, parameters).mappings().all()

    def _page(
        self,
        kind: type[R],
        statement: Select[Any],
        key: ColumnElement[str],
        cursor: str | None,
        limit: int,
        *,
        scope: Scope = NOBODY,
        descending: bool = False,
    ) -> Page[R]:
        """One page of `statement`, ordered by `key`, after the cursor's key."""
        if cursor is not None:
            last = decode_text_cursor(cursor)
            statement = statement.where(key < last if descending else key > last)
        statement = statement.order_by(key.desc() if descending else key).limit(limit + 1)
        records = self._all(kind, statement, scope)
        if len(records) <= limit:
            return Page(items=records)
        items = records[:limit]
        return Page(items=items, cursor=encode_cursor(str(getattr(items[-1], str(key.key))).encode()))

    def _create(self, table: Table, record: Any, taken: str, entry: AuditEntry | None = None) -> None:
        """Insert; `Conflict` with `taken` where the key is in use or what it refers to is gone."""
        self._create_row(table, to_row(record), Scope.of(record), taken, entry)

    def _create_row(
        self, table: Table, row: Mapping[str, Any], scope: Scope, taken: str, entry: AuditEntry | None = None
    ) -> None:
        statement = insert(table).values(row)
        try:
            self._write(scope, lambda connection: connection.execute(statement), entry)
        except exc.IntegrityError:
            raise Conflict(taken) from None

    def _put(self, table: Table, record: Any, gone: str, entry: AuditEntry | None = None) -> None:
        """Insert or replace; `Conflict` with `gone` where what it refers to is not there."""
        try:
            self._put_row(table, to_row(record), Scope.of(record), entry)
        except exc.IntegrityError:
            raise Conflict(gone) from None

    def _put_row(self, table: Table, row: Mapping[str, Any], scope: Scope, entry: AuditEntry | None = None) -> None:
        key = [column.name for column in table.primary_key]
        new = self._upsert(table).values(row)
        rest = {name: new.excluded[name] for name in row if name not in key}
        statement = new.on_conflict_do_update(index_elements=key, set_=rest)
        self._write(scope, lambda connection: connection.execute(statement), entry)

    def _replace(self, table: Table, record: Any, stale: str, entry: AuditEntry | None = None) -> None:
        """Write over the record whose revision is one less; `Conflict` with `stale` where there is none."""
        row = to_row(record)
        key = [column == row[column.name] for column in table.primary_key]
        statement = update(table).where(*key, table.c.revision == row["revision"] - 1).values(row)
        try:
            changed = self._write(
                Scope.of(record), lambda connection: connection.execute(statement).rowcount > 0, entry
            )
        except exc.IntegrityError:
            changed = False
        if not changed:
            raise Conflict(stale)

    def _delete(self, statement: Delete, scope: Scope) -> int:
        """Delete; how many rows there were."""
        return self._write(scope, lambda connection: connection.execute(statement).rowcount)


def to_row(record: Struct) -> dict[str, Any]:
    """A record as a row; nested records become JSON values."""
    return to_plain(record)


def parameters(table: Table) -> dict[str, BindParameter[Any]]:
    """For a statement that is made once: each column's value by its name."""
    return {column.name: bindparam(column.name, type_=column.type) for column in table.columns}


def to_record(kind: type[R], row: Mapping[Any, Any]) -> R:
    """A row as a record; its own type's rules hold."""
    return from_plain(kind, {str(name): value for name, value in row.items()})  # names may be of a class of their own


class _LostToAnother(StoreUnavailable):
    """The database undid the transaction in favour of another."""


@contextmanager
def translated() -> Iterator[None]:
    """Errors that mean "the database does not answer", as `StoreUnavailable`; all others as they are."""
    try:
        yield
    except _UNAVAILABLE as error:
        if getattr(getattr(error, "orig", None), "sqlstate", None) in _LOST_TO_ANOTHER:
            raise _LostToAnother from None
        raise StoreUnavailable from None
    except exc.DatabaseError as error:
        if type(error) is exc.DatabaseError:  # "file is not a database", "disk image is malformed"
            raise StoreUnavailable from None
        raise

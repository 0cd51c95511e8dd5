"""Connections, transactions and the few statements that every part of the SQL store is made of.

Rules kept here:

- A read and a write are one short transaction each. In SQLite a write begins with `BEGIN IMMEDIATE`: it waits for
  its turn at the start and never fails half-way for having read first.
- SQLite runs in WAL mode with full synchronisation: readers never wait for the writer, and what was answered as
  written is there after a power cut.
- Several processes may open one file at once, also for the first time.
- A database that does not answer raises `StoreUnavailable`; a fault of ours is not dressed up as one.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    create_engine,
    event,
    exc,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL

from oriel.store.base import Conflict, StoreUnavailable
from oriel.store.cursors import decode_text_cursor, encode_cursor
from oriel.store.records import Page
from oriel.store.sql.tables import METADATA

R = TypeVar("R")

BUSY_SECONDS = 10
WAL_SECONDS = 10
WRITES = "oriel_writes"
_UNAVAILABLE = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)


def sqlite_engine(path: Path) -> Engine:
    """An engine for the file, which is made (0600, its folder 0700) where it is not there, and brought into WAL mode.

    Raises:
        StoreUnavailable: the file cannot be made, or is not a database.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        _switch_to_wal(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"The database {path} cannot be opened: {error}.") from None
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        pool_size=8,
        max_overflow=32,
        pool_timeout=BUSY_SECONDS,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _switch_to_wal(path: Path) -> None:
    """WAL mode is a property of the file. Two processes that switch at once may see it busy whatever the timeout."""
    deadline = time.monotonic() + WAL_SECONDS
    while True:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
        try:
            if connection.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",):
                return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
        finally:
            connection.close()
        if time.monotonic() > deadline:
            raise sqlite3.OperationalError("it cannot be brought into WAL mode")
        time.sleep(0.01)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """What the parts of the store share: an engine, transactions, and records to and from rows.

    Args:
        clock: the time in Unix milliseconds; decides what has expired.
    """

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self._clock = clock

    def create_schema(self) -> None:
        """Make the tables that are missing. One process does, where several start at once."""
        with self._write() as connection:
            METADATA.create_all(connection)

    def ping(self) -> None:
        with self._read() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with _translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with _translated(), self._writer.begin() as connection:
            yield connection

    def _upsert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An insert that knows `on_conflict_do_…` in this database's dialect."""
        return sqlite.insert(table) if self._engine.dialect.name == "sqlite" else postgresql.insert(table)

    def _one(self, kind: type[R], statement: Select[Any]) -> R | None:
        with self._read() as connection:
            row = connection.execute(statement).mappings().one_or_none()
        return None if row is None else to_record(kind, row)

    def _all(self, kind: type[R], statement: Select[Any]) -> tuple[R, ...]:
        with self._read() as connection:
            rows = connection.execute(statement).mappings().all()
        return tuple(to_record(kind, row) for row in rows)

    def _page(
        self,
        kind: type[R],
        statement: Select[Any],
        key: ColumnElement[str],
        cursor: str | None,
        limit: int,
        *,
        descending: bool = False,
    ) -> Page[R]:
        """One page of `statement`, ordered by `key`, after the cursor's key."""
        if cursor is not None:
            last = decode_text_cursor(cursor)
            statement = statement.where(key < last if descending else key > last)
        statement = statement.order_by(key.desc() if descending else key).limit(limit + 1)
        records = self._all(kind, statement)
        if len(records) <= limit:
            return Page(items=records)
        items = records[:limit]
        return Page(items=items, cursor=encode_cursor(str(getattr(items[-1], str(key.key))).encode()))

    def _create(self, table: Table, record: Any, taken: str) -> None:
        """Insert; `Conflict` with `taken` where the key is in use or what it refers to is gone."""
        try:
            with self._write() as connection:
                connection.execute(insert(table).values(to_row(record)))
        except exc.IntegrityError:
            raise Conflict(taken) from None

    def _put(self, table: Table, record: Any, gone: str) -> None:
        """Insert or replace; `Conflict` with `gone` where what it refers to is not there."""
        row = to_row(record)
        key = [column.name for column in table.primary_key]
        statement = self._upsert(table).values(row)
        rest = {name: statement.excluded[name] for name in row if name not in key}
        try:
            with self._write() as connection:
                connection.execute(statement.on_conflict_do_update(index_elements=key, set_=rest))
        except exc.IntegrityError:
            raise Conflict(gone) from None

    def _replace(self, table: Table, record: Any, stale: str) -> None:
        """Write over the record whose revision is one less; `Conflict` with `stale` where there is none."""
        row = to_row(record)
        key = [column == row[column.name] for column in table.primary_key]
        expected = table.c.revision == row["revision"] - 1
        try:
            with self._write() as connection:
                changed = connection.execute(update(table).where(*key, expected).values(row)).rowcount
        except exc.IntegrityError:
            changed = 0
        if not changed:
            raise Conflict(stale)


def to_row(record: Any) -> dict[str, Any]:
    """A record as a row; nested records become JSON values."""
    return asdict(record)


def to_record(kind: type[R], row: Mapping[Any, Any]) -> R:
    """A row as a record; its own type's rules hold."""
    adapter = _ADAPTERS.get(kind) or _ADAPTERS.setdefault(kind, TypeAdapter(kind))
    record: R = adapter.validate_python(dict(row))
    return record


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _UNAVAILABLE:
        raise StoreUnavailable from None
    except exc.DatabaseError as error:
        if type(error) is exc.DatabaseError:  # "file is not a database", "disk image is malformed"
            raise StoreUnavailable from None
        raise

"""Connections to SQLite.

Rules kept here:

- SQLite runs in WAL mode with full synchronisation: readers never wait for the writer, and what was answered as
  written is there after a power cut.
- A write begins with `BEGIN IMMEDIATE`: it waits for its turn at the start and never fails half-way for having read
  first.
- Several processes may open one file at once, also for the first time. A file that is there is opened by SQLite alone:
  closing any other descriptor of it drops the locks that this process has on it (POSIX), and the database with them.
"""

import os
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from oriel.store.errors import StoreUnavailable

BUSY_SECONDS = 10
WAL_SECONDS = 10
WRITES, ALONE = "oriel_writes", "oriel_alone"
"""Options of a connection: its transactions write; its statements are transactions of their own."""
_TURNS: dict[str, threading.Lock] = {}
_MAKING = threading.Lock()


def sqlite_engine(path: Path) -> Engine:
    """An engine for the file, which is made (0600, its folder 0700) where it is not there, and brought into WAL mode.

    Raises:
        StoreUnavailable: the file cannot be made, or is not a database.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
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


def turn_of(engine: Engine) -> threading.Lock:
    """What this process's writers of a file take turns by.

    SQLite lets one in at a time and makes the others poll; whoever polls may starve where there are many.
    """
    with _MAKING:
        return _TURNS.setdefault(str(engine.url.database), threading.Lock())


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
    options = connection.get_execution_options()
    if not options.get(ALONE, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITES, False) else "BEGIN")

"""The store in SQL: SQLite on one machine, PostgreSQL elsewhere, by the same statements."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from oriel.clock import now_ms
from oriel.store.sql.database import sqlite_engine
from oriel.store.sql.executions import SqlExecutions
from oriel.store.sql.guests import SqlGuests
from oriel.store.sql.installs import SqlInstalls
from oriel.store.sql.publishing import SqlPublishing
from oriel.store.sql.safety import SqlSafety


class SqlStore(SqlPublishing, SqlInstalls, SqlSafety, SqlExecutions, SqlGuests):
    """The whole `oriel.store.Store`. Safe to share between threads; not across a fork."""

    @classmethod
    def sqlite(cls, path: Path, clock: Callable[[], int] = now_ms) -> Self:
        """The store in one SQLite file, which several processes may use at once.

        Raises:
            StoreUnavailable: the file cannot be made, or is not a database.
        """
        store = cls(sqlite_engine(path), clock)
        store.create_schema()
        return store

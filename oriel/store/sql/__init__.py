"""The store in SQL: SQLite on one machine, PostgreSQL elsewhere, by the same statements."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Engine

from oriel.clock import now_ms
from oriel.store.sql.events import SqlEvents
from oriel.store.sql.executions import SqlExecutions
from oriel.store.sql.fixtures import SqlFixtures
from oriel.store.sql.guests import SqlGuests
from oriel.store.sql.installs import SqlInstalls
from oriel.store.sql.policy import SqlPolicy
from oriel.store.sql.postgresql import postgresql_engine, require_restricted_role
from oriel.store.sql.publishing import SqlPublishing
from oriel.store.sql.rds import RdsTarget, rds_engine
from oriel.store.sql.rollouts import SqlRollouts
from oriel.store.sql.safety import SqlSafety
from oriel.store.sql.schedules import SqlSchedules
from oriel.store.sql.schema import HEAD, current_revision, migrate, require_current
from oriel.store.sql.sqlite import sqlite_engine


class SqlStore(
    SqlPublishing,
    SqlInstalls,
    SqlRollouts,
    SqlPolicy,
    SqlSafety,
    SqlExecutions,
    SqlFixtures,
    SqlGuests,
    SqlEvents,
    SqlSchedules,
):
    """The whole `oriel.store.Store`. Safe to share between threads; not across a fork."""

    @classmethod
    def sqlite(cls, path: Path, clock: Callable[[], int] = now_ms) -> Self:
        """The store in one SQLite file, which several processes may use at once. It is made, or migrated, as needed.

        Raises:
            StoreUnavailable: the file cannot be made, or is not a database of this or an earlier version of Oriel.
        """
        with _disposed_on_failure(sqlite_engine(path)) as engine:
            if current_revision(engine) != HEAD:
                migrate(engine)
            return cls(engine, clock)

    @classmethod
    def postgresql(cls, url: str, clock: Callable[[], int] = now_ms) -> Self:
        """The store in the database at `postgresql://USER:PASSWORD@HOST/DATABASE`, which is migrated already.

        Raises:
            InvalidInput: `invalid_input`, where the URL cannot be read or the driver is not installed.
            StoreUnavailable: the database does not answer, or is at another revision, or the role that the URL names
                passes by row-level security.
        """
        with _disposed_on_failure(postgresql_engine(url)) as engine:
            _require_usable(engine)
            return cls(engine, clock)

    @classmethod
    def rds(cls, target: RdsTarget, clock: Callable[[], int] = now_ms) -> Self:
        """The store in a database of RDS or Aurora (`oriel.store.sql.rds`), which is migrated already.

        It connects with the first transaction: a function that starts, or is kept as a snapshot, has no connection.
        What `postgresql` raises is raised then.
        """
        return cls(rds_engine(target), clock, _require_usable)


def _require_usable(engine: Engine) -> None:
    require_restricted_role(engine)
    require_current(engine)


@contextmanager
def _disposed_on_failure(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    except BaseException:
        engine.dispose()
        raise

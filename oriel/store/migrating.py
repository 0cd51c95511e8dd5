"""Migrations on purpose, by whoever owns the tables: `oriel store migrate`, and the deployment's own function."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from oriel.errors import Finding, InvalidInput
from oriel.store.opening import SETTING, without_password

if TYPE_CHECKING:
    from sqlalchemy import Engine

Revisions = tuple[str | None, str]


def migrate_store(url: str, **roles: str) -> Revisions:
    """Bring the tables of an SQL store to what this version of Oriel needs; the revisions before and after.

    Args:
        roles: of PostgreSQL, `registry`, `gateway` and `runner`, which get their rights (`oriel.store.sql.roles`). In
            RDS they have the names that the deployment uses, and are made where they are missing.

    Raises:
        InvalidInput: `invalid_input`, where the store has no tables, or no roles.
        StoreUnavailable: the database does not answer, or has tables that this version of Oriel does not know.
    """
    scheme, _, rest = url.partition(":")
    named = [name for name in roles.values() if name]
    if scheme not in {"sqlite", "postgresql", "rds"} or not rest or (named and scheme != "postgresql"):
        what = f"roles for {', '.join(named)}" if named else "migrations"
        finding = Finding(SETTING, f"{without_password(url)!r} has no {what}.")
        raise InvalidInput("invalid_input", [finding], subject="The environment")
    if scheme == "rds":
        return _rds(rest)
    return _sqlite(Path(rest)) if scheme == "sqlite" else _postgresql(url, **roles)


def _sqlite(path: Path) -> Revisions:
    from oriel.store.sql.schema import HEAD, migrate
    from oriel.store.sql.sqlite import sqlite_engine

    with _disposed(sqlite_engine(path)) as engine:
        return migrate(engine), HEAD


def _postgresql(url: str, **roles: str) -> Revisions:
    from oriel.store.sql.postgresql import postgresql_engine, require_answer
    from oriel.store.sql.roles import Roles
    from oriel.store.sql.schema import HEAD, migrate

    with _disposed(postgresql_engine(url)) as engine:
        require_answer(engine)
        return migrate(engine, Roles(**roles)), HEAD


def _rds(rest: str) -> Revisions:
    from oriel.store.sql.database import translated
    from oriel.store.sql.postgresql import require_answer
    from oriel.store.sql.rds import RdsTarget, rds_engine
    from oriel.store.sql.roles import IN_AWS, create_for_iam
    from oriel.store.sql.schema import HEAD, migrate

    with _disposed(rds_engine(RdsTarget.parse(rest, setting=SETTING))) as engine:
        require_answer(engine)
        with translated(), engine.begin() as connection:
            create_for_iam(connection, IN_AWS)
        return migrate(engine, IN_AWS), HEAD


@contextmanager
def _disposed(engine: "Engine") -> Iterator["Engine"]:
    try:
        yield engine
    finally:
        engine.dispose()

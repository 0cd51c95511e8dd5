"""Connections to PostgreSQL.

Rules kept here:

- A connection carries no state between transactions: no session settings, no prepared statements, no locks that
  outlive a transaction. A pooling proxy (RDS Proxy, PgBouncer) may give each transaction another connection.
- A connection is asked whether it lives before it is used, and not kept for long: a failover is found out soon.
- The role must not be one that row-level security does not hold for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, column, create_engine, exc, func, select, table
from sqlalchemy.engine import make_url

from oriel.errors import Finding, InvalidInput
from oriel.store.errors import StoreUnavailable

POOL_SIZE = 8
POOL_OVERFLOW = 8
POOL_SECONDS = 5
CONNECT_SECONDS = 5
CONNECTION_LIFETIME_SECONDS = 300
STATEMENT_TIMEOUT_MS = 10_000

_ROLES = table("pg_roles", column("rolname"), column("rolsuper"), column("rolbypassrls"))


def postgresql_engine(url: str) -> Engine:
    """An engine for `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`; libpq's options go after `?`. It does not connect.

    Raises:
        InvalidInput: `invalid_input`, where the URL cannot be read or the driver is not installed.
    """
    try:
        return create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": CONNECT_SECONDS, "prepare_threshold": None},
            use_native_hstore=False,
            pool_pre_ping=True,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_timeout=POOL_SECONDS,
            pool_recycle=CONNECTION_LIFETIME_SECONDS,
            pool_use_lifo=True,
        )
    except ImportError:
        raise missing_driver() from None
    except (exc.ArgumentError, ValueError):
        message = "it is not a URL of PostgreSQL; give postgresql://USER:PASSWORD@HOST/DATABASE."
    raise InvalidInput("invalid_input", [Finding("ORIEL_STORE", message)], subject="The environment")


def missing_driver() -> InvalidInput:
    message = "PostgreSQL needs a driver: install oriel[postgresql]."
    return InvalidInput("invalid_input", [Finding("ORIEL_STORE", message)], subject="The environment")


def require_answer(engine: Engine) -> None:
    """Connect once.

    Raises:
        StoreUnavailable: the server does not answer; the detail says why, for whoever starts the platform.
    """
    with _explained():
        engine.connect().close()


def require_restricted_role(engine: Engine) -> None:
    """Check that row-level security holds for the role that the engine connects as.

    Raises:
        StoreUnavailable: it does not, or the server does not answer; the detail says what to mend.
    """
    free = select(_ROLES.c.rolname).where(_ROLES.c.rolname == func.current_user())
    free = free.where(_ROLES.c.rolsuper | _ROLES.c.rolbypassrls)
    with _explained(), engine.connect() as connection:
        role: Any = connection.execute(free).scalar_one_or_none()
    if role is not None:
        raise StoreUnavailable(
            f"The role {role} passes by row-level security, so that nothing would keep tenants apart but the queries. "
            "Connect as a role that is no superuser and has no BYPASSRLS."
        )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except exc.OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise StoreUnavailable(f"PostgreSQL does not answer: {reason}") from None

"""The tables' revision: what a database is at, what this version of Oriel needs, and the way there.

Rules kept here:

- The migrations alone make tables, in SQLite and in PostgreSQL alike.
- SQLite is brought up to date when it is opened: one machine has one version of Oriel. PostgreSQL is migrated on
  purpose, by `oriel store migrate` and a role that owns the tables; a store at another revision does not open.
- A migration is one transaction, and one process runs it, however many start at once.
- Alembic is loaded only where there is something to migrate.
"""

from sqlalchemy import Connection, Engine, column, func, inspect, select, table, text

from oriel.store.errors import StoreUnavailable
from oriel.store.sql.database import translated
from oriel.store.sql.sqlite import WRITES
from oriel.store.sql.tables import METADATA

HEAD = "0001"
_SCRIPTS = "oriel.store.sql:migrations"
_LOCK = 0x6F7269656C  # "oriel", the key of an advisory lock
_REVISIONS = table("alembic_version", column("version_num"))


def current_revision(engine: Engine) -> str | None:
    """The revision that the database is at; None where it has none.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    with translated(), engine.connect() as connection:
        return _revision(connection)


def require_current(engine: Engine) -> None:
    """Check that the tables are those of this version of Oriel.

    Raises:
        StoreUnavailable: they are not; the detail says what to do.
    """
    found = current_revision(engine)
    if found != HEAD:
        at = "no tables" if found is None else f"tables of revision {found}"
        raise StoreUnavailable(f"The database has {at}; this version of Oriel needs {HEAD}. Run: oriel store migrate.")


def migrate(engine: Engine, application_role: str = "") -> str | None:
    """Bring the tables to `HEAD`. The revision they were at; None for an empty database.

    Args:
        application_role: a role of PostgreSQL that may then read and write the tables, and no more.

    Raises:
        StoreUnavailable: the database does not answer, or has tables that this version of Oriel does not know.
    """
    with translated(), engine.execution_options(**{WRITES: True}).begin() as connection:
        is_postgresql = connection.dialect.name == "postgresql"
        if is_postgresql:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = _revision(connection)
        if before != HEAD:
            _upgrade(connection, before)
        if is_postgresql and application_role:
            _grant(connection, application_role)
    return before


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_REVISIONS.name):
        return None
    found: str | None = connection.execute(select(_REVISIONS.c.version_num)).scalar_one_or_none()
    return found


def _upgrade(connection: Connection, before: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    if before is None and inspect(connection).get_table_names():
        raise StoreUnavailable("The database has tables of somebody else, or of Oriel before its first release.")
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(f"The database is not one that this version of Oriel knows: {error}") from None


def _grant(connection: Connection, role: str) -> None:
    quote = connection.dialect.identifier_preparer.quote_identifier
    schema = quote(connection.execute(select(func.current_schema())).scalar_one())
    tables = ", ".join(f"{schema}.{quote(name)}" for name in METADATA.tables)
    for statement in (
        f"GRANT USAGE ON SCHEMA {schema} TO {quote(role)}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {quote(role)}",
        f"GRANT SELECT ON {schema}.{_REVISIONS.name} TO {quote(role)}",
    ):
        connection.execute(text(statement))

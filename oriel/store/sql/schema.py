"""The tables' revision: what a database is at, what this version of Oriel needs, and the way there.

Rules kept here:

- The migrations alone make tables, in SQLite and in PostgreSQL alike.
- SQLite is brought up to date when it is opened: one machine has one version of Oriel. PostgreSQL is migrated on
  purpose, by `oriel store migrate` and a role that owns the tables; a store at another revision does not open.
- Tables may be of a later revision, where they say that this one can work on them: a deployment migrates before its
  functions change, and one that is rolled back leaves the tables as they are. PostgreSQL alone has that; what they say
  is the comment of the table of revisions.
- A migration is one transaction, and one process runs it, however many start at once.
- Alembic is loaded only where there is something to migrate.
"""

from sqlalchemy import Connection, Engine, column, func, inspect, select, table, text

from oriel.store.errors import StoreUnavailable, UnknownTables
from oriel.store.sql.database import translated
from oriel.store.sql.roles import REVISIONS, Roles, grant
from oriel.store.sql.sqlite import WRITES

HEAD = "0001"
OLDEST = "0001"
"""The oldest revision whose releases work on tables of `HEAD`. A migration that they could not bear raises it."""
_SCRIPTS = "oriel.store.sql:migrations"
_LOCK = 0x6F7269656C  # "oriel", the key of an advisory lock
NOBODY = Roles()
_REVISIONS = table(REVISIONS, column("version_num"))


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
    if found != HEAD and not (found and found > HEAD and _oldest(engine) <= HEAD):
        at = "no tables" if found is None else f"tables of revision {found}"
        raise StoreUnavailable(f"The database has {at}; this version of Oriel needs {HEAD}. Run: oriel store migrate.")


def migrate(engine: Engine, roles: Roles = NOBODY) -> str | None:
    """Bring the tables to `HEAD`. The revision they were at; None for an empty database.

    Args:
        roles: of PostgreSQL, which get their rights (`oriel.store.sql.roles`).

    Raises:
        StoreUnavailable: the database does not answer.
        UnknownTables: it has tables that this version of Oriel does not know.
    """
    with translated(), engine.execution_options(**{WRITES: True}).begin() as connection:
        is_postgresql = connection.dialect.name == "postgresql"
        if is_postgresql:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = _revision(connection)
        if before != HEAD:
            _upgrade(connection, before)
        if is_postgresql:
            grant(connection, roles)
            connection.execute(text(f"COMMENT ON TABLE {REVISIONS} IS '{OLDEST}'"))
    return before


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_REVISIONS.name):
        return None
    found: str | None = connection.execute(select(_REVISIONS.c.version_num)).scalar_one_or_none()
    return found


def _oldest(engine: Engine) -> str:
    """The oldest revision that tables of a later one can be worked on with."""
    said = select(func.obj_description(func.to_regclass(REVISIONS), "pg_class"))
    with translated(), engine.connect() as connection:
        return str(connection.execute(said).scalar_one() or "~")  # after all revisions


def _upgrade(connection: Connection, before: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    if before is None and inspect(connection).get_table_names():
        raise UnknownTables("The database has tables of somebody else, or of Oriel before its first release.")
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise UnknownTables(f"The database is not one that this version of Oriel knows: {error}") from None

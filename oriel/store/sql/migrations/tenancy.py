"""The policies of a tenant's table, for migrations to put on it. `oriel.store.sql.row_security` says what they keep.

What is here is never changed, for old migrations call it: a new rule is a new function. In SQLite they do nothing.
"""

from alembic import op

_OWN = "tenant_id = NULLIF(current_setting('oriel.tenant_id', true), '')"
_PURGED = "current_setting('oriel.work', true) = 'purge' AND expires_at IS NOT NULL"
_QUEUED = "current_setting('oriel.work', true) = 'dispatch'"
_HEADS = "current_setting('oriel.work', true) = 'heads'"
_PLATFORMS = "current_setting('oriel.work', true) IN ('audit', 'platform') AND tenant_id = ''"


def isolate(table: str) -> None:
    """A tenant sees and writes its own rows of `table`, which has a column `tenant_id`."""
    _guard(table)
    _execute(f"CREATE POLICY tenant ON {table} USING ({_OWN}) WITH CHECK ({_OWN})")


def isolate_with_purge(table: str) -> None:
    """The same, and the work `purge` sees and deletes rows that expire (`expires_at`), of all tenants."""
    isolate(table)
    for command in ("SELECT", "DELETE"):
        _execute(f"CREATE POLICY purge_{command.lower()} ON {table} FOR {command} USING ({_PURGED})")


def isolate_queue(table: str) -> None:
    """The same, and the work `dispatch` sees all rows and moves them, of all tenants: they hold ids and times."""
    isolate(table)
    for command in ("SELECT", "UPDATE"):
        _execute(f"CREATE POLICY dispatch_{command.lower()} ON {table} FOR {command} USING ({_QUEUED})")


def isolate_installs(table: str) -> None:
    """As `isolate`; the work `follow` sees rows that follow a range, and `delete` those that are to be deleted."""
    isolate(table)
    for work, rows in (("follow", "follows <> ''"), ("delete", "delete_at IS NOT NULL")):
        own_work = f"current_setting('oriel.work', true) = '{work}' AND {rows}"
        _execute(f"CREATE POLICY {work}_select ON {table} FOR SELECT USING ({own_work})")


def isolate_append_only(table: str) -> None:
    """A tenant sees its own rows and adds to them, and the work `audit` those of no tenant. Nobody changes any."""
    _guard(table)
    for name, rows in (("tenant", _OWN), ("platform", _PLATFORMS)):
        _execute(f"CREATE POLICY {name}_select ON {table} FOR SELECT USING ({rows})")
        _execute(f"CREATE POLICY {name}_insert ON {table} FOR INSERT WITH CHECK ({rows})")


def isolate_with_platform(table: str) -> None:
    """A tenant sees and writes its own rows, and the work `platform` those of no tenant."""
    isolate(table)
    rows = "current_setting('oriel.work', true) = 'platform' AND tenant_id = ''"
    _execute(f"CREATE POLICY platform ON {table} USING ({rows}) WITH CHECK ({rows})")


def open_to_reader(table: str, work: str) -> None:
    """The work of that name sees the rows of all tenants, and changes none."""
    rows = f"current_setting('oriel.work', true) = '{work}'"
    _execute(f"CREATE POLICY {work} ON {table} FOR SELECT USING ({rows})")


def isolate_head(table: str) -> None:
    """As `isolate_append_only`, and rows can be changed; the work `heads` sees those of all tenants."""
    isolate_append_only(table)
    for name, rows in (("tenant", _OWN), ("platform", _PLATFORMS)):
        _execute(f"CREATE POLICY {name}_update ON {table} FOR UPDATE USING ({rows}) WITH CHECK ({rows})")
    _execute(f"CREATE POLICY heads_select ON {table} FOR SELECT USING ({_HEADS})")


def _guard(table: str) -> None:
    _execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    _execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _execute(statement: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(statement)

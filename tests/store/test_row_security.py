"""PostgreSQL's row-level security: a forgotten filter still shows nothing.

The statements here are raw, by the role that the platform connects as. The tables are found in the metadata, so that a
new one without a policy fails.
"""

import psycopg
import pytest
from sqlalchemy import insert, types

from oriel.store import StoreUnavailable, open_store
from oriel.store.guests import GuestWrite
from oriel.store.sql.postgresql import postgresql_engine
from oriel.store.sql.row_security import NO_TENANT
from oriel.store.sql.tables import METADATA
from tests.store.factory import T0
from tests.support.postgres import APPLICATION, OWNER, migrated_database, shared_server

TENANT_TABLES = sorted(table.name for table in METADATA.sorted_tables if "tenant_id" in table.columns)
APPEND_ONLY = ["audit_entry"]
UNDELETED = ["audit_head"]
EVERYBODYS = [NO_TENANT, "t1", "t2"]
SHOWN = {  # by named work and table; of guest records the rows here never expire
    "purge": {"repeated_request": EVERYBODYS, "execution_fixture": EVERYBODYS},
    "audit": {"audit_entry": [NO_TENANT], "audit_head": [NO_TENANT]},
    "heads": {"audit_head": EVERYBODYS},
    "follow": {"tenant_extension_install": EVERYBODYS},
    "delete": {},
    "dispatch": {"due_work": EVERYBODYS},
    "platform": {"api_key": [NO_TENANT], "audit_entry": [NO_TENANT], "audit_head": [NO_TENANT]},
    "reseal": {"install_secret": EVERYBODYS},
}


@pytest.fixture
def name():
    with migrated_database() as name:
        yield name


@pytest.fixture(scope="module")
def filled():
    """A database with one row of each of two tenants, and of none, in every tenant's table. No test changes it."""
    with migrated_database() as name:
        fill(name)
        yield name


def fill(name):
    engine = postgresql_engine(shared_server().url(name))
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # rows without what they refer to
        for tenant_id in ("t1", "t2", NO_TENANT):
            for table in TENANT_TABLES:
                connection.execute(insert(METADATA.tables[table]).values(row(table, tenant_id)))
    engine.dispose()


@pytest.fixture(scope="module")
def application(filled):
    with shared_server().connect(filled, APPLICATION) as connection:
        yield connection


def row(table, tenant_id):
    values = {column.name: value(column) for column in METADATA.tables[table].columns if not column.nullable}
    return values | {"tenant_id": tenant_id}


def value(column):
    kinds = ((types.Boolean, True), (types.LargeBinary, b"b"), (types.JSON, {}), (types.Text, "x"))
    return next((example for kind, example in kinds if isinstance(column.type, kind)), 1)


def enter(connection, tenant_id=None, work=None):
    for setting, content in (("oriel.tenant_id", tenant_id), ("oriel.work", work)):
        if content is not None:
            connection.execute("SELECT set_config(%s, %s, true)", (setting, content))


def tenants(connection):
    """By table, whose rows are seen without a filter; a table of which none is seen is left out."""
    found, every = {}, " UNION ALL ".join(f"SELECT '{table}', tenant_id FROM {table}" for table in TENANT_TABLES)
    for table, tenant_id in connection.execute(every):
        found.setdefault(table, []).append(tenant_id)
    return {table: sorted(seen) for table, seen in found.items()}


def test_every_table_of_a_tenant_has_forced_row_level_security(name):
    with shared_server().connect(name) as connection:
        guarded = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND relforcerowsecurity"
        )
        assert sorted(found for (found,) in guarded) == TENANT_TABLES


def test_the_key_of_every_table_of_a_tenant_begins_with_the_tenant():
    firsts = {METADATA.tables[table].primary_key.columns[0].name for table in TENANT_TABLES}
    assert firsts == {"tenant_id"}


def test_the_owner_of_the_server_sees_a_row_of_each_in_every_table(filled):
    with shared_server().connect(filled) as connection:
        assert tenants(connection) == dict.fromkeys(TENANT_TABLES, EVERYBODYS)


@pytest.mark.parametrize("tenant_id", ["t1", "t2"])
def test_a_select_without_a_filter_shows_the_tenants_own_rows_alone(application, tenant_id):
    with application.transaction():
        enter(application, tenant_id)
        assert tenants(application) == {table: [tenant_id] for table in TENANT_TABLES}


@pytest.mark.parametrize("tenant_id", [None, "", "t3", "T1", "t1 ", "t1'", "%", "t1\x01\x01"])
def test_without_a_tenant_or_with_another_nothing_is_shown(application, tenant_id):
    with application.transaction():
        enter(application, tenant_id)
        assert tenants(application) == {}


def test_a_connection_forgets_the_tenant_when_the_transaction_ends(application):
    with application.transaction():
        enter(application, "t1", "audit")
        assert tenants(application).keys() == set(TENANT_TABLES)
    assert tenants(application) == {}


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_no_row_can_be_written_for_another_tenant_or_moved_to_one(application, table):
    with application.transaction():
        enter(application, "t1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), application.transaction():
            application.execute(f"INSERT INTO {table} SELECT (jsonb_populate_record(r, '{{\"tenant_id\": \"t2\"}}')).* "
                                f"FROM {table} r")  # fmt: skip
        if table not in APPEND_ONLY:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), application.transaction():
                application.execute(f"UPDATE {table} SET tenant_id = 't2'")


def test_update_and_delete_without_a_filter_touch_the_tenants_own_rows_alone(name):
    fill(name)
    touched = {}
    with shared_server().connect(name, APPLICATION) as connection, connection.transaction():
        enter(connection, "t1")
        for table in TENANT_TABLES:
            touched[table] = [connection.execute(f"UPDATE {table} SET tenant_id = tenant_id").rowcount]
            if not referred_to(table):
                touched[table].append(connection.execute(f"DELETE FROM {table}").rowcount)
    assert touched == {table: may_be_touched(table) for table in TENANT_TABLES}
    with shared_server().connect(name) as connection:
        assert all({"t2", NO_TENANT} <= set(seen) for seen in tenants(connection).values())


def may_be_touched(table):
    """How many rows by an update, and by a delete where none of another table refers to them."""
    updated, deleted = (0, 0) if table in APPEND_ONLY else (1, 0) if table in UNDELETED else (1, 1)
    return [updated] if referred_to(table) else [updated, deleted]


def referred_to(table):
    """Whether rows of other tables stand in the way of a delete."""
    keys = [key for other in METADATA.tables.values() for key in other.foreign_keys]
    return any(key.column.table.name == table for key in keys)


def test_the_policies_hold_for_the_owner_of_the_tables_too(filled):
    with shared_server().connect(filled, OWNER) as connection:
        assert tenants(connection) == {}


@pytest.mark.parametrize("work", [*SHOWN, "anything", ""])
def test_named_work_shows_what_it_is_for_and_no_more(application, work):
    with application.transaction():
        enter(application, None, work)
        assert tenants(application) == SHOWN.get(work, {})


def test_resealing_sees_sealed_secrets_and_can_change_none(application):
    with application.transaction():
        enter(application, None, "reseal")
        assert application.execute("UPDATE install_secret SET key_id = 'x'").rowcount == 0
        assert application.execute("DELETE FROM install_secret").rowcount == 0


def test_purging_sees_of_all_guest_records_those_that_expire_and_can_change_none(name):
    server = shared_server()
    store = open_store(server.url(name, APPLICATION))
    for tenant_id in ("t1", "t2"):
        kept = GuestWrite(key="kept", value=b"", text=False)
        store.guest_put(tenant_id, "i1", [kept, GuestWrite(key="goes", value=b"", text=False, expires_at=T0)])
    store.close()
    with server.connect(name, APPLICATION) as connection, connection.transaction():
        enter(connection, None, "purge")
        assert connection.execute("SELECT key FROM guest_record").fetchall() == [(b"goes",), (b"goes",)]
        assert connection.execute("UPDATE guest_record SET value = ''").rowcount == 0
        assert connection.execute("DELETE FROM guest_record").rowcount == 2


def test_dispatching_moves_what_is_due_and_can_neither_add_nor_delete_any(application):
    with application.transaction(force_rollback=True):
        enter(application, None, "dispatch")
        assert application.execute("UPDATE due_work SET due_at = due_at + 1").rowcount == 3
        assert application.execute("DELETE FROM due_work").rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("INSERT INTO due_work (tenant_id, kind, item_id, due_at) VALUES ('t1', 'a', 'b', 1)")


def test_the_application_cannot_change_tables_policies_or_the_migrations_revision(application):
    for statement in (
        "ALTER TABLE guest_record DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON guest_record",
        "CREATE POLICY open ON guest_record USING (true)",
        "DROP TABLE guest_record",
        "TRUNCATE guest_record",
        "UPDATE alembic_version SET version_num = ''",
        "SET ROLE oriel_owner",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(statement)


@pytest.mark.parametrize("attribute", ["SUPERUSER", "BYPASSRLS"])
def test_a_role_that_passes_by_the_policies_is_refused(name, attribute):
    server = shared_server()
    role = f"oriel_{attribute.lower()}"
    server.execute(f"CREATE ROLE {role} LOGIN {attribute}")
    try:
        with pytest.raises(StoreUnavailable, match=f"{role} passes by row-level security"):
            open_store(server.url(name, role))
    finally:
        server.execute(f"DROP ROLE {role}")

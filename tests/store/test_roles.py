"""What the roles of gateway and runner can do in PostgreSQL, whatever gets hold of them."""

import psycopg
import pytest

from oriel.store import open_store
from oriel.store.event_records import Event
from oriel.store.guests import GuestWrite
from oriel.store.sql.roles import Roles
from oriel.store.sql.tables import METADATA
from tests.store.factory import T0, install, publisher, version
from tests.support.postgres import APPLICATION, GATEWAY, RUNNER, migrated_database, shared_server

DECIDED = {  # by publishers, tenants and operators, through the registry
    "api_key",
    "audit_entry",
    "audit_head",
    "data_key",
    "extension_bundle",
    "extension_registry",
    "extension_version",
    "install_secret",
    "publisher",
    "publisher_key",
    "quarantine",
    "quota_defaults",
    "rollout",
    "tenant_extension_install",
    "tenant_quota",
    "upload_session",
}


@pytest.fixture(scope="module")
def name():
    with migrated_database() as name:
        yield name


@pytest.fixture(scope="module")
def held(name):
    """`(role, privilege, table)` of all that the catalog says."""
    with shared_server().connect(name) as connection:
        rows = connection.execute(
            "SELECT grantee, privilege_type, table_name FROM information_schema.role_table_grants"
            " WHERE table_schema = 'public' AND grantee = ANY(%s)",
            [[GATEWAY, RUNNER, APPLICATION]],
        ).fetchall()
    return set(rows)


def tables_of(held, role, *privileges):
    return {table for grantee, privilege, table in held if grantee == role and privilege in privileges}


@pytest.mark.parametrize("role", [GATEWAY, RUNNER])
def test_neither_gateway_nor_runner_writes_what_was_decided(held, role):
    written = tables_of(held, role, "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    assert written
    assert written & DECIDED == set()


def test_the_runner_reads_neither_installs_nor_secrets_nor_executions(held):
    assert tables_of(held, RUNNER, "SELECT") == tables_of(held, RUNNER, "INSERT") | {"alembic_version"}


def test_the_gateway_does_not_read_what_guests_keep(held):
    assert set(METADATA.tables) - tables_of(held, GATEWAY, "SELECT") == {"guest_record"}


def test_the_registry_reads_and_writes_every_table(held):
    for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        assert tables_of(held, APPLICATION, privilege) >= set(METADATA.tables)


def test_the_runner_keeps_records_and_emits_and_is_refused_an_install(name):
    url = shared_server().url(name, APPLICATION)
    registry, runner = open_store(url), open_store(shared_server().url(name, RUNNER))
    try:
        registry.put_publisher(publisher())
        registry.create_version(*version())
        registry.create_install(install())
        runner.guest_put("t1", "i1", [GuestWrite(key="k", value=b"v", text=False)])
        assert runner.guest_delete("t1", "i1", "k")
        event = Event(
            tenant_id="t1", event_id="e1", topic="a.b", source="com.acme.notes", created_at=T0, expires_at=T0 + 1
        )
        assert runner.put_event(event, 10)
        with pytest.raises(Exception, match="permission denied"):
            runner.create_install(install(install_id="i2", extension_id="com.acme.other"))
    finally:
        runner.close()
        registry.close()


def test_migrating_again_takes_back_what_somebody_granted_beside(name):
    from oriel.store.sql.postgresql import postgresql_engine
    from oriel.store.sql.schema import migrate
    from tests.support.postgres import OWNER

    engine = postgresql_engine(shared_server().url(name, OWNER))
    shared_server().execute(f"GRANT INSERT ON publisher TO {RUNNER}", database=name)
    migrate(engine, Roles(APPLICATION, GATEWAY, RUNNER))
    engine.dispose()
    with shared_server().connect(name, RUNNER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("INSERT INTO publisher DEFAULT VALUES")

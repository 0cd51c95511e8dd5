"""What is PostgreSQL's own: connections that carry nothing, writers that collide, and what happens when it is gone."""

import sys
import threading
import time

import pytest
from sqlalchemy import event, select, text

from oriel.errors import InvalidInput
from oriel.store import StoreUnavailable, open_store
from oriel.store.guests import GuestWrite
from oriel.store.migrating import migrate_store
from oriel.store.opening import without_password
from oriel.store.sql import database, tables
from oriel.store.sql.row_security import NOBODY, Scope
from tests.store.factory import install, publisher, upload, version
from tests.store.test_registry_records import NOTES
from tests.support.postgres import APPLICATION, OWNER, migrated_database, shared_server

LOST = text("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = 'serialization_failure'; END $$")

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


@pytest.fixture
def name():
    with migrated_database() as name:
        yield name


@pytest.fixture
def url(name):
    return shared_server().url(name, APPLICATION)


@pytest.fixture
def store(url):
    store = open_store(url)
    yield store
    store.close()


def write(key, value=b"v"):
    return GuestWrite(key=key, value=value, text=False)


def end_connections(name):
    shared_server().execute(f"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = '{name}'")


def busy(store):
    """Every kind of call, often enough for a driver to prepare statements."""
    store.put_publisher(publisher())
    store.create_version(*version())
    store.create_install(install())
    for number in range(12):
        store.guest_put("t1", "i1", [write(str(number))])
        store.resolve("t1", "com.acme.notes")
        store.list_audit(None)
        store.purge_expired()


def test_a_connection_carries_nothing_to_the_next_transaction(store):
    busy(store)
    with store._engine.connect() as connection:
        ask = "SELECT current_setting('oriel.tenant_id', true), current_setting('oriel.work', true)"
        assert connection.exec_driver_sql(ask).one() == ("", "")
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar_one() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").scalar_one() == 0


def test_every_transaction_has_a_time_limit(store, monkeypatch):
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT_MS", 50)
    with pytest.raises(StoreUnavailable):
        store._write(NOBODY, lambda connection: connection.execute(text("SELECT pg_sleep(60)")))


def test_two_batches_that_write_the_same_records_in_opposite_order_both_succeed(store):
    meet, attempts, table = threading.Barrier(2), [], tables.guest_record

    def batch(*keys):
        def work(connection):
            attempts.append(keys)
            for key in keys:
                store._write_one(connection, "t1", "i1", write(key), 1)
                if len(attempts) <= 2 and key == keys[0]:
                    meet.wait(10)

        store._write(Scope("t1"), work)

    threads = [threading.Thread(target=batch, args=keys) for keys in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(attempts) == 3
    with store._read(Scope("t1")) as connection:
        assert connection.execute(select(table.c.revision)).scalars().all() == [2, 2]


def test_a_write_that_always_loses_is_given_up(store):
    attempts = []

    def lose(connection):
        attempts.append(1)
        connection.execute(LOST)

    with pytest.raises(StoreUnavailable, match="lost against others"):
        store._write(NOBODY, lose)
    assert len(attempts) == database.ATTEMPTS


def test_a_delete_waits_for_a_writer_and_then_sees_what_it_wrote(store):
    store.guest_put("t1", "i1", [write("a")])
    written, found = threading.Event(), []

    def delete():
        written.wait(10)
        found.append(store.guest_delete("t1", "i1", "a"))

    def work(connection):
        store._write_one(connection, "t1", "i1", write("a", b"new"), 1)
        written.set()
        deadline = time.monotonic() + 10
        while not connection.execute(WAITING).scalar_one():
            assert time.monotonic() < deadline, "the delete does not wait"
            connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")

    thread = threading.Thread(target=delete)
    thread.start()
    store._write(Scope("t1"), work)
    thread.join()
    assert found == [True]
    assert store.guest_get("t1", "i1", ["a"]) == ()


def test_the_store_goes_on_after_its_idle_connections_were_cut(store, name):
    store.put_publisher(publisher())
    end_connections(name)
    assert store.get_publisher("acme") == publisher()


def test_a_connection_that_is_cut_within_a_write_is_unavailable_and_nothing_is_written(store, name):
    def work(connection):
        store._write_one(connection, "t1", "i1", write("a"), 1)
        end_connections(name)
        store._write_one(connection, "t1", "i1", write("b"), 1)

    with pytest.raises(StoreUnavailable):
        store._write(Scope("t1"), work)
    assert store.guest_list("t1", "i1", "", None, 10).items == ()


def test_a_database_that_takes_no_connections_is_unavailable_until_it_does_again(store, name):
    server = shared_server()
    server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    end_connections(name)
    try:
        with pytest.raises(StoreUnavailable):
            store.ping()
    finally:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    store.ping()


@pytest.mark.parametrize("opener", [open_store, migrate_store])
def test_a_server_that_does_not_answer_is_unavailable_and_the_reason_is_told(tmp_path, opener):
    with pytest.raises(StoreUnavailable, match=r"PostgreSQL does not answer.*No such file"):
        opener(f"postgresql://app:hush@/oriel?host={tmp_path}")


@pytest.mark.parametrize("url", ["postgresql://app:hush@host:port/db", "postgres://app:hush@host/db"])
def test_a_url_that_cannot_be_read_is_refused_without_showing_its_password(url):
    with pytest.raises(InvalidInput) as refused:
        open_store(url)
    assert "postgresql://USER" in str(refused.value)
    assert "hush" not in refused.value.diagnostics()


def test_a_url_is_shown_without_its_password():
    assert without_password("postgresql://app:hu:sh@host:1/db?a=b@c") == "postgresql://app:***@host:1/db?a=b@c"
    assert without_password("postgresql://app@host/db") == "postgresql://app@host/db"
    assert without_password("sqlite:/tmp/oriel.db") == "sqlite:/tmp/oriel.db"


def test_without_the_driver_the_store_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InvalidInput, match=r"oriel\[postgresql\]"):
        open_store("postgresql://app@host/db")


def test_the_owner_of_the_tables_may_run_the_platform_too(name):
    store = open_store(shared_server().url(name, OWNER))
    busy(store)
    assert store.get_install("t1", "com.acme.notes") == install()
    assert store.get_install("t2", "com.acme.notes") is None
    store.close()


def test_no_query_of_the_request_path_scans_a_table_or_reads_an_index_from_end_to_end(store):
    statements = []
    listen = ("before_cursor_execute", lambda c, k, statement, given, *rest: statements.append((statement, given)))
    event.listen(store._engine, *listen)
    store.resolve("t1", "com.acme.notes")
    store.list_secrets("t1", "i1")
    store.guest_list("t1", "i1", "p", None, 10)
    store.guest_get("t1", "i1", ["a"])
    store.list_executions("t1", NOTES)
    store.find_upload("ann", "sha256:aa")
    store.create_upload(upload())
    store.pending_uploads()
    store.purge_expired()
    event.remove(store._engine, *listen)
    plans = {}
    with store._read(Scope("t1")) as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, given in statements:
            if statement.startswith(("SELECT", "DELETE")) and "set_config" not in statement:
                plans[statement] = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", given).scalars())
    assert len(plans) == 16
    for statement, plan in plans.items():
        assert "Seq Scan" not in plan, (statement, plan)
        assert plan.count("Index Cond") >= plan.count("Index Scan") + plan.count("Index Only Scan"), (statement, plan)
    (listing,) = (plan for statement, plan in plans.items() if "guest_record.key >=" in statement)
    condition = next(line for line in listing.splitlines() if "Index Cond" in line)
    assert "key >=" in condition, "row-level security must not keep the range out of the index"

"""Writes to one SQLite file that wait for each other: one transaction, and each done or not by itself."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event as events
from sqlalchemy import text

from oriel.store import Conflict, StoreUnavailable
from oriel.store.sql import SqlStore
from oriel.store.sql.sqlite import turn_of
from tests.store.factory import install, publisher, version
from tests.support.sqlite import migrated_file

SECONDS = 20


@pytest.fixture
def store(tmp_path):
    migrated_file(tmp_path / "oriel.db")
    store = SqlStore.sqlite(tmp_path / "oriel.db")
    store.put_publisher(publisher())
    store.create_version(*version())
    yield store
    store.close()


def all_at_once(store, *writes):
    """Have the writes wait for their turn until all do; what became of each."""
    with ThreadPoolExecutor(len(writes)) as pool:
        with turn_of(store._engine):
            waiting = [pool.submit(write) for write in writes]
            until = time.monotonic() + SECONDS
            while len(store._together._waiting) < len(writes):
                assert time.monotonic() < until
                time.sleep(0.001)
        return [done.exception() or done.result() for done in waiting]


def commits(store):
    seen = []
    events.listen(store._engine, "commit", lambda _: seen.append(threading.get_ident()))
    return seen


def installs(store):
    return [one.tenant_id for one in store.list_installs("t0").items + store.list_installs("t1").items]


def test_writes_that_wait_share_a_transaction(store):
    seen = commits(store)
    writes = [lambda number=number: store.create_install(install(f"t{number}")) for number in range(8)]
    assert all_at_once(store, *writes) == [None] * 8
    assert len(seen) == 1
    assert all(store.get_install(f"t{number}", "com.acme.notes") for number in range(8))


def test_one_that_fails_undoes_itself_alone(store):
    def refused(connection):
        connection.execute(text("DELETE FROM tenant_extension_install"))
        raise Conflict("No.")

    good, bad, *_ = all_at_once(
        store,
        lambda: store.create_install(install("t0")),
        lambda: store._together.write(refused),
        lambda: store.create_install(install("t1")),
    )
    assert (good, str(bad)) == (None, "No.")
    assert installs(store) == ["t0", "t1"]
    again = all_at_once(store, lambda: store.create_install(install("t0")), lambda: store.put_publisher(publisher("b")))
    assert [type(one) for one in again] == [Conflict, type(None)]


def test_where_the_transaction_fails_nothing_is_written_and_each_writer_is_told(store):
    def broken(connection):
        connection.exec_driver_sql("ROLLBACK")  # as SQLite itself does where the disk is full
        connection.execute(text("SELECT * FROM nowhere"))

    good, bad = all_at_once(store, lambda: store.create_install(install("t0")), lambda: store._together.write(broken))
    assert isinstance(good, StoreUnavailable)
    assert isinstance(bad, Exception)
    assert installs(store) == []
    store.create_install(install("t0"))

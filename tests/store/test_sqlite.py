"""What is SQLite's own: the file, several processes, and what happens when it does not answer."""

import sqlite3
import stat
import subprocess
import sys
import threading

import pytest
from sqlalchemy import event

from oriel.errors import InvalidInput
from oriel.store import StoreUnavailable, open_store
from oriel.store.sql import SqlStore
from tests.store.factory import publisher
from tests.store.test_registry_records import NOTES

START_TOGETHER = """
import sys
from oriel.store import open_store
from oriel.store.guests import GuestWrite
sys.stdin.readline()
store = open_store("sqlite:" + sys.argv[1])
store.guest_put("t1", "i1", [GuestWrite(key=sys.argv[2], value=b"", text=False)])
"""


def test_the_file_is_private_and_its_folder_is_made(tmp_path):
    open_store(f"sqlite:{tmp_path}/deep/er/oriel.db").close()
    assert stat.S_IMODE((tmp_path / "deep/er/oriel.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "deep/er").stat().st_mode) == 0o700


def test_several_processes_that_open_a_new_file_at_once_all_succeed(tmp_path):
    path = tmp_path / "oriel.db"
    command = [sys.executable, "-c", START_TOGETHER, str(path)]
    children = [subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, text=True) for n in range(4)]
    for child in children:
        child.stdin.write("go\n")
        child.stdin.close()
    assert [child.wait(30) for child in children] == [0, 0, 0, 0]
    store = open_store(f"sqlite:{path}")
    assert len(store.guest_list("t1", "i1", "", None, 10).items) == 4
    store.close()


def test_a_reader_does_not_wait_for_a_writer(tmp_path):
    store = SqlStore.sqlite(tmp_path / "oriel.db")
    store.put_publisher(publisher())
    other = sqlite3.connect(tmp_path / "oriel.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.get_publisher("acme") == publisher()
    other.close()
    store.close()


def test_writers_in_many_threads_wait_for_each_other(tmp_path):
    store = SqlStore.sqlite(tmp_path / "oriel.db")
    threads = [
        threading.Thread(target=lambda n=n: [store.put_publisher(publisher(f"p{n}-{m}")) for m in range(5)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.list_publishers().items) == 40
    store.close()


@pytest.mark.parametrize(
    "content", [b"not a database, and longer than the header of one" * 100, b"SQLite format 3\0" + b"x" * 4096]
)
def test_a_file_that_is_no_database_is_unavailable(tmp_path, content):
    (tmp_path / "oriel.db").write_bytes(content)
    with pytest.raises(StoreUnavailable):
        open_store(f"sqlite:{tmp_path}/oriel.db")


def test_a_database_that_breaks_later_is_unavailable(tmp_path):
    store = SqlStore.sqlite(tmp_path / "oriel.db")
    store.close()
    for leftover in tmp_path.iterdir():
        leftover.unlink()
    (tmp_path / "oriel.db").mkdir()
    with pytest.raises(StoreUnavailable):
        store.ping()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        open_store(f"sqlite:{tmp_path}/file/oriel.db")


@pytest.mark.parametrize("url", ["", "sqlite:", "mysql://x", "oriel.db"])
def test_an_unknown_store_is_refused_with_what_would_do(url):
    with pytest.raises(InvalidInput, match="sqlite:PATH"):
        open_store(url)


def test_the_seven_tables_have_their_names(tmp_path):
    SqlStore.sqlite(tmp_path / "oriel.db").close()
    names = {row[0] for row in sqlite3.connect(tmp_path / "oriel.db").execute("SELECT name FROM sqlite_master")}
    assert names >= {
        "extension_registry",
        "extension_version",
        "extension_bundle",
        "tenant_extension_install",
        "extension_event_subscription",
        "extension_execution_log",
        "extension_quota_usage",
    }


def test_no_query_of_the_request_path_scans_a_table(tmp_path):
    store = SqlStore.sqlite(tmp_path / "oriel.db")
    statements = []

    event.listen(
        store._engine, "before_cursor_execute", lambda c, k, text, given, *rest: statements.append((text, given))
    )
    store.resolve("t1", "com.acme.notes")
    store.guest_list("t1", "i1", "p", None, 10)
    store.guest_get("t1", "i1", ["a"])
    store.list_executions("t1", NOTES)
    store.find_upload("ann", "sha256:aa")
    store.pending_uploads()
    store.purge_expired()
    plans = sqlite3.connect(tmp_path / "oriel.db")
    for text, given in statements:
        if text.startswith("SELECT"):
            plan = " | ".join(row[3] for row in plans.execute(f"EXPLAIN QUERY PLAN {text}", given))
            assert "SCAN" not in plan, (text, plan)
    plans.close()
    store.close()

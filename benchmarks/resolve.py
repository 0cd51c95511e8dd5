"""The gateway's resolution of a request, from the store and from its cache, at 100, 10,000 and 1,000,000 installs.

Each tenant has ten extensions installed, each with grants, a configuration and a secret. A cold resolution is of an
install drawn at random that the gateway does not know; a cached one is of an install that it has just seen. The sizes
are measured in turns. PostgreSQL runs here, on a unix socket; the store connects as a role that row-level security
holds for.
"""

import json
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Table

from benchmarks.measure import Result, Work, in_turns, median, percentile
from gateway.resolve import Resolver
from oriel.bundle import content_hash
from oriel.store import Store
from oriel.store.records import Bundle, Extension, Grant, Install, Publisher, PublisherKey, StoredSecret, Version
from oriel.store.sql import SqlStore
from oriel.store.sql.database import to_row
from oriel.store.sql.tables import install_secret, tenant_extension_install
from tests.support.postgres import APPLICATION, PostgresServer, create_migrated, postgres_server

SIZES = (100, 10_000, 1_000_000)
EXTENSIONS = tuple(f"com.acme.extension{number}" for number in range(10))
ROUNDS = 1_000
NOW = 1_795_000_000_000
PUBLISHER, KEY, VERSION = "com.acme", "sha256:key", "1.0.0"
MANIFEST = Path(__file__).parents[1] / "examples" / "approvals" / "manifest.json"
POSTGRES = {"shared_buffers": "1GB", "maintenance_work_mem": "256MB", "max_wal_size": "4GB"}

Fill = Callable[[Table, Iterable[Sequence[Any]]], None]


class Filled(NamedTuple):
    """A store with so many installs."""

    store: Store
    installs: int


def run() -> Iterator[Result]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="oriel-resolve-")))
        yield from _measured("sqlite", [_sqlite(folder / f"{size}.db", size, stack) for size in SIZES])
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server(POSTGRES))
        yield from _measured("postgresql", [_postgresql(server, size, stack) for size in SIZES])


def _measured(backend: str, stores: Sequence[Filled]) -> Iterator[Result]:
    cold = in_turns({str(filled.installs): _cold(filled) for filled in stores}, rounds=ROUNDS, warm_up=200)
    cached = in_turns({str(filled.installs): _cached(filled) for filled in stores}, rounds=ROUNDS)
    for size in cold:
        yield Result(f"resolve.{backend}.{size}.p50", median(cold[size]), "ms")
        yield Result(f"resolve.{backend}.{size}.p99", percentile(cold[size], 99), "ms")
        yield Result(f"resolve.{backend}.{size}.cached_p50", median(cached[size]), "ms")
    smallest, largest = str(SIZES[0]), str(SIZES[-1])
    yield Result(f"resolve.{backend}.p50_ratio", median(cold[largest]) / median(cold[smallest]), "ratio")
    yield Result(f"resolve.{backend}.cached_p50_ratio", median(cached[largest]) / median(cached[smallest]), "ratio")


def _cold(filled: Filled) -> Work:
    """Resolutions by a gateway that keeps nothing but what versions share, their manifests."""
    resolver, draw = Resolver(filled.store, ttl=0), random.Random(7)

    def resolve() -> None:
        number = draw.randrange(filled.installs)
        if resolver.resolve(_tenant(number), _extension(number)) is None:
            raise RuntimeError(f"install {number} is not there")

    return resolve


def _cached(filled: Filled) -> Work:
    resolver = Resolver(filled.store, clock=lambda: 0.0)
    return lambda: resolver.resolve(_tenant(0), _extension(0))


def _sqlite(path: Path, size: int, stack: ExitStack) -> Filled:
    store = SqlStore.sqlite(path)
    stack.callback(store.close)
    _publish(store)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous=OFF")

        def fill(table: Table, rows: Iterable[Sequence[Any]]) -> None:
            marks = ", ".join("?" for _ in table.columns)
            connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)

        _install(size, fill)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Filled(store, size)


def _postgresql(server: PostgresServer, size: int, stack: ExitStack) -> Filled:
    name = create_migrated(server)
    store = SqlStore.postgresql(server.url(name, APPLICATION))
    stack.callback(store.close)
    _publish(store)
    with server.connect(name) as connection, connection.cursor() as cursor:

        def fill(table: Table, rows: Iterable[Sequence[Any]]) -> None:
            with cursor.copy(f"COPY {table.name} FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row(row)

        _install(size, fill)
        cursor.execute("VACUUM ANALYZE")
    return Filled(store, size)


def _publish(store: Store) -> None:
    store.put_publisher(Publisher(publisher=PUBLISHER, prefixes=(PUBLISHER,), created_at=NOW))
    store.put_publisher_key(PublisherKey(publisher=PUBLISHER, key_id=KEY, public_key_pem="-", not_before=NOW))
    manifest = json.loads(MANIFEST.read_text()) | {"publisher": PUBLISHER, "version": VERSION}
    for extension_id in EXTENSIONS:
        digest = content_hash(extension_id.encode())
        store.create_version(
            Extension(extension_id=extension_id, publisher=PUBLISHER, created_at=NOW),
            Bundle(content_hash=digest, size=1, component_digest=digest, created_at=NOW),
            Version(
                extension_id=extension_id,
                version=VERSION,
                version_id=f"ver_{extension_id}",
                content_hash=digest,
                component_digest=digest,
                manifest=manifest | {"name": extension_id},
                publisher=PUBLISHER,
                signer_key_id=KEY,
                published_by="ann",
                created_at=NOW,
            ),
        )


def _install(size: int, fill: Fill) -> None:
    own = ("tenant_id", "extension_id", "install_id")
    fill(tenant_extension_install, _rows(tenant_extension_install, INSTALL, own, size))
    fill(install_secret, _rows(install_secret, SECRET, ("tenant_id", "install_id"), size))


def _rows(table: Table, record: Any, own: Sequence[str], size: int) -> Iterator[list[Any]]:
    """Copies of a record with `own` fields, in the order of the table's columns, with JSON as text."""
    values = to_row(record)
    columns = [column.name for column in table.columns]
    row = [json.dumps(value) if isinstance(value, dict | tuple | list) else value for value in map(values.get, columns)]
    places = [(columns.index(name), OWN[name]) for name in own]
    for number in range(size):
        for place, value in places:
            row[place] = value(number)
        yield row


def _tenant(number: int) -> str:
    return f"tenant-{number // len(EXTENSIONS):07}"


def _extension(number: int) -> str:
    return EXTENSIONS[number % len(EXTENSIONS)]


def _install_id(number: int) -> str:
    return f"ins_{number:08}"


OWN: Mapping[str, Callable[[int], str]] = {
    "tenant_id": _tenant,
    "extension_id": _extension,
    "install_id": _install_id,
}
INSTALL = Install(
    tenant_id="",
    extension_id="",
    install_id="",
    version=VERSION,
    status="enabled",
    grants=(
        Grant(capability="storage.kv", granted_by="ann", granted_at=NOW),
        Grant(capability="http.fetch", hosts=("api.acme.com",), granted_by="ann", granted_at=NOW),
    ),
    config={"region": "eu", "threshold": 100},
    installed_by="ann",
    created_at=NOW,
    updated_at=NOW,
)
SECRET = StoredSecret(
    tenant_id="",
    install_id="",
    name="api_token",
    key_id="key_1",
    nonce=bytes(12),
    ciphertext=bytes(48),
    updated_at=NOW,
)

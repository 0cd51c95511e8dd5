"""A dispatcher over a real store and the real gateway, with a runner that answers as it is told."""

import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from gateway.dispatcher import Dispatcher
from oriel.emitting import Bounds, Emission, Emitter
from oriel.events import PRODUCT
from oriel.following import Following
from oriel.published import Published
from oriel.scheduling import Scheduling
from oriel.store.queueing import following
from oriel.store.records import Bundle, Extension, Grant, Publisher
from oriel.store.sql import SqlStore
from tests.support.gateway import EXTENSION, NOW, Bench, Clock, resolution

LONGEST_MS = 120_000
TOPICS = ("order.*", "com.acme.notes.*")
MANIFEST = {
    "manifest_version": 2,
    "name": EXTENSION,
    "title": "Notes",
    "publisher": "com.acme",
    "version": "1.0.0",
    "runtime": "wasm@1",
    "capabilities": [{"name": "events.subscribe", "purpose": "Notes what is ordered."}],
    "api": {
        "endpoints": [
            {"method": "POST", "path": "/on-order", "internal": True},
            {"method": "POST", "path": "/on-own", "internal": True},
            {"method": "POST", "path": "/digest", "internal": True},
            {"method": "GET", "path": "/check"},
        ]
    },
    "events": [
        {"topic": "order.*", "path": "/on-order", "filter": {"total.currency": ["EUR", None]}, "ordered": True},
        {"topic": "com.acme.notes.*", "path": "/on-own"},
    ],
    "schedules": [{"name": "digest", "cron": "0 8 * * *", "path": "/digest", "payload": {"to": "all"}}],
}


@cache
def empty_database():
    """A database with its tables, made once."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore.sqlite(Path(folder) / "oriel.db")
        store.ping()
        store.close()
        with sqlite3.connect(Path(folder) / "oriel.db") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return (Path(folder) / "oriel.db").read_bytes()


def sqlite_in(path, clock):
    (path / "oriel.db").write_bytes(empty_database())
    return SqlStore.sqlite(path / "oriel.db", clock)


class World:
    """One store, one extension, installs of it, and everything that brings events to them.

    `opened` gives the store to a clock, `told` is told of work; without them it is SQLite, and nobody.
    """

    def __init__(self, path, *tenants, wrap=lambda store: store, attempts=10, opened=None, told=lambda _: None):
        self.clock, self.told = Clock(NOW), told
        self.stored = opened(self.clock) if opened else sqlite_in(path, self.clock)
        self.store = wrap(self.stored)
        self.bench = Bench(store=self.store)
        self.runner, self.gateway = self.bench.runner, self.bench.gateway
        self.bench.resolver._ttl = 0.0
        self.attempts = attempts
        self.dispatcher = self.another()
        self.emitter = Emitter(self.store, Bounds(extension_per_minute=50), told=told, clock=self.clock)
        self.scheduling = Scheduling(self.store, clock=self.clock)
        self.stored.put_publisher(Publisher(publisher="com.acme", prefixes=("com.acme",), created_at=NOW))
        version = replace(resolution(manifest=MANIFEST).version)
        self.manifest = Published.read(version.manifest)
        extension = Extension(extension_id=EXTENSION, publisher="com.acme", created_at=NOW)
        bundle = Bundle(content_hash=version.content_hash, size=1, component_digest="sha256:cc", created_at=NOW)
        self.stored.create_version(extension, bundle, version)
        for tenant in tenants or ("acme",):
            self.install(tenant)

    def another(self):
        """One more worker on the same store."""
        times = {"longest_ms": LONGEST_MS, "attempts": self.attempts, "clock": self.clock}
        return Dispatcher(self.store, self.gateway, **times, told=self.told)

    def install(self, tenant="acme", topics=TOPICS):
        granted = Grant(capability="events.subscribe", topics=topics, granted_by="ann", granted_at=NOW)
        install = resolution(tenant, MANIFEST, grants=(granted,)).install
        work = following(install, install.version)
        self.stored.create_install(install, then=work)
        Following(self.stored, clock=self.clock).at_once(work)

    def change(self, tenant="acme", **fields):
        install = self.stored.get_install(tenant, EXTENSION)
        self.stored.replace_install(replace(install, **fields, revision=install.revision + 1))

    def emit(self, topic="order.paid", tenant="acme", source=PRODUCT, **fields):
        event, _ = self.emitter.emit(
            Emission(tenant_id=tenant, source=source, topic=topic, **({"data": {"n": 1}} | fields))
        )
        return event

    def settle(self, rounds=50):
        """Do what is due until nothing is."""
        for _ in range(rounds):
            if not self.dispatcher.run_pending():
                return
        raise AssertionError("it does not come to an end")

    def pass_time(self, milliseconds):
        for clock in (self.clock, self.bench.clock):
            clock.now += milliseconds
        self.bench.seconds.now += milliseconds / 1000

    def deliveries(self, event):
        return self.stored.list_deliveries(event.tenant_id, event.event_id)

    def delivery(self, event):
        (delivery,) = self.deliveries(event)
        return delivery

    def schedule(self, tenant="acme"):
        return self.stored.list_schedules(tenant).items[0]

    def runs(self, tenant="acme"):
        return self.stored.list_runs(tenant, self.schedule(tenant).schedule_id).items

    def close(self):
        self.gateway.close()
        self.stored.close()

"""Events from emission to handler: how many a second, and how many are lost.

A dispatcher's worker with its threads over SQLite in a file, fully synchronised, as on one machine; the handlers answer
at once, so that what is measured is the way there. Half of the events have keys and keep their order. Meanwhile the
worker is stopped and another one started, as at a restart.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Result
from gateway.dispatch_worker import DispatchWorker
from gateway.dispatcher import Dispatcher
from gateway.messages import GatewayResponse, PlatformCall
from gateway.resolve import Resolved
from oriel.emitting import Bounds, Emission, Emitter
from oriel.events import PRODUCT
from oriel.manifest import Manifest
from oriel.published import Published
from oriel.store.records import Bundle, Extension, Grant, Install, Publisher, Resolution, Version
from oriel.store.sql import SqlStore
from oriel.subscribing import subscriptions

EVENTS, KEYS, TENANTS = 600, 20, 4
THREADS = 8  # as the platform has with two processors
SECONDS = 300.0
NAME = "com.acme.bench"
MANIFEST = {
    "manifest_version": 2,
    "name": NAME,
    "publisher": "com.acme",
    "version": "1.0.0",
    "title": "Bench",
    "runtime": "wasm@1",
    "capabilities": [{"name": "events.subscribe", "purpose": "Counts."}],
    "api": {"endpoints": [{"method": "POST", "path": "/on"}]},
    "events": [{"topic": "bench.*", "path": "/on", "ordered": True}],
}


class _Handlers:
    """In place of the gateway: every handler answers at once, and what reached it is counted."""

    def __init__(self, resolved: dict[str, Resolved]) -> None:
        self._resolved = resolved
        self._lock = threading.Lock()
        self.reached: set[tuple[str, str]] = set()

    def call(self, call: PlatformCall) -> GatewayResponse:
        with self._lock:
            self.reached.add((call.tenant_id, call.caused_by or ""))
        return GatewayResponse(status=204)

    def resolved(self, tenant_id: str, _extension_id: str) -> Resolved | None:
        return self._resolved.get(tenant_id)


def run() -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="oriel-events-") as folder:
        store = SqlStore.sqlite(Path(folder) / "oriel.db")
        handlers = _Handlers(_installed(store))
        dispatcher = Dispatcher(store, handlers, longest_ms=1_000)
        emitter = Emitter(store, Bounds(product_per_minute=EVENTS))
        began = time.perf_counter()
        worker = _started(dispatcher)
        emitted = {_emit(emitter, number) for number in range(EVENTS // 2)}
        worker.stop()
        worker = _started(dispatcher)
        emitted |= {_emit(emitter, number) for number in range(EVENTS // 2, EVENTS)}
        while len(handlers.reached) < EVENTS and time.perf_counter() - began < SECONDS:
            time.sleep(0.01)
        took = time.perf_counter() - began
        worker.stop()
        store.close()
    yield Result("events.per_second", len(handlers.reached & emitted) / took, "1/s")
    yield Result("events.lost", len(emitted - handlers.reached), "events")
    yield Result("events.astray", len(handlers.reached - emitted), "events")


def _started(dispatcher: Dispatcher) -> DispatchWorker:
    worker = DispatchWorker(dispatcher, threads=THREADS, poll_seconds=0.01)
    worker.start()
    return worker


def _emit(emitter: Emitter, number: int) -> tuple[str, str]:
    tenant_id = f"t{number % TENANTS}"
    key = f"k{number % KEYS}" if number % 2 else None
    data = {"n": number}
    emission = Emission(tenant_id=tenant_id, source=PRODUCT, topic="bench.done", data=data, key=key)
    return tenant_id, emitter.emit(emission)[0].event_id


def _installed(store: SqlStore) -> dict[str, Resolved]:
    stored, digest = Manifest.parse(MANIFEST).to_json(), "sha256:" + "0" * 64
    version = Version(
        extension_id=NAME,
        version="1.0.0",
        version_id="ver_1",
        content_hash=digest,
        component_digest=digest,
        manifest=stored,
        publisher="com.acme",
        signer_key_id=digest,
        published_by="/bench",
        created_at=0,
    )
    store.put_publisher(Publisher(publisher="com.acme", prefixes=("com.acme",), created_at=0))
    extension = Extension(extension_id=NAME, publisher="com.acme", created_at=0)
    bundle = Bundle(content_hash=digest, size=1, component_digest=digest, created_at=0)
    store.create_version(extension, bundle, version)
    return {f"t{number}": _install(store, f"t{number}", version) for number in range(TENANTS)}


def _install(store: SqlStore, tenant_id: str, version: Version) -> Resolved:
    manifest = Published.read(version.manifest)
    granted = Grant(capability="events.subscribe", topics=("bench.*",), granted_by="/bench", granted_at=0)
    install = Install(
        tenant_id=tenant_id,
        extension_id=NAME,
        install_id=f"ins_{tenant_id}",
        version=version.version,
        status="enabled",
        grants=(granted,),
        installed_by="/bench",
        created_at=0,
        updated_at=0,
    )
    store.create_install(install)
    store.replace_subscriptions(tenant_id, install.install_id, subscriptions(install, manifest, 0))
    return Resolved(Resolution(install=install, version=version), manifest, {})

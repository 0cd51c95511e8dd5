"""A runner made from the settings: what a worker process, a Lambda function and a benchmark start with.

The runner holds the platform's public keys and the keys that open secrets. It signs its calls to the host product,
with a key that is for nothing else.

What a first answer does not need is neither imported nor made before it is used: the store, the way out, the host
product, the web app. `tests/runner/test_imports.py` holds the start to a budget.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from msgspec.structs import replace

from oriel.blobs.opening import open_source
from oriel.operations import HostOperation, load_operations
from oriel.sealing import DataKeys, Sealer
from oriel.settings import MEGABYTE, Settings
from oriel.signing import PublicKey
from runner.artifacts import Artifacts
from runner.board import Board
from runner.components import Components
from runner.core import MEBIBYTE, Runner
from runner.entry import Standard
from runner.execution import Caller, Fetcher, Services
from runner.host.table import host_functions
from runner.pool import Share
from runner.sandbox import Sandbox

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from starlette.applications import Starlette

    from oriel.emitting import Emitter
    from oriel.scheduling import Scheduling
    from oriel.store.base import Store
    from oriel.store.event_records import Work
    from oriel.store.guests import GuestStore
    from runner.egress.client import Egress
    from runner.product import Product

ARTIFACT_DIR = "artifacts"


def standard() -> Standard:
    """What components are linked with that were not made for Oriel; imported when the first of them is loaded."""
    from runner import wasi  # most processes never need them, and start sooner
    from runner.alga.table import host_functions as alga_functions

    made = wasi.standard()
    return replace(made, functions=(*made.functions, *alga_functions()))


def artifact_cache(settings: Settings) -> Path:
    """Where this machine keeps unpacked artifacts."""
    return settings.data_dir / "cache" / ARTIFACT_DIR


class Keys(DataKeys, Protocol):
    """The keys that a runner has: a keyring's, or those of a key service."""

    @property
    def platform_keys(self) -> Sequence[PublicKey]: ...
    @property
    def gateway_keys(self) -> "Sequence[Ed25519PublicKey]": ...
    @property
    def host_key(self) -> "Ed25519PrivateKey": ...


def build_runner(settings: Settings, keys: Keys, board: Board | None = None) -> Runner:
    """A runner over the store and the blobs that the settings name, with `keys`."""
    with ExitStack() as opened:
        services = _services(settings, keys, opened)
        resident = settings.runner_resident_mb * MEBIBYTE
        sandbox = Sandbox(host_functions(), standard=standard, fuel=settings.counts_fuel, resident_bytes=resident)
        max_bytes = settings.artifact_cache_mb * MEGABYTE
        artifacts = Artifacts(
            open_source(settings.blobs_url),
            keys.platform_keys,
            artifact_cache(settings),
            fingerprint=sandbox.fingerprint,
            max_bytes=max_bytes,
        )
        return Runner(
            sandbox,
            Components(artifacts, sandbox.load, max_bytes=max_bytes),
            services,
            share=Share.of(settings.runner_threads),
            board=board,
            resources=opened.pop_all(),
        )


def build_app(settings: Settings, keys: Keys, board: Board | None = None) -> "tuple[Starlette, Runner]":
    """The app and the runner behind it, which the caller closes."""
    from oriel.identity.service import ServiceTokenVerifier
    from runner.app import create_app

    runner = build_runner(settings, keys, board)
    verifier = ServiceTokenVerifier(keys.gateway_keys)
    return create_app(runner, verifier, max_body_bytes=settings.max_body_bytes), runner


def _services(settings: Settings, keys: Keys, opened: ExitStack) -> Services:
    """What host functions reach; mistakes in the settings stop the start, and not the first guest that meets them."""
    operations = load_operations(settings.host_operations, settings.base_url)
    store = _Later(lambda: _open_store(settings.store_url))
    egress = _Later(lambda: _open_egress(settings))
    product = _Later(lambda: _open_product(operations, keys))
    for part in (store, egress, product):
        opened.callback(part.close)
    if settings.egress_allow_networks:
        egress.open()
    sealer = Sealer(keys)
    return Services(
        store=cast("GuestStore", store),
        opener=sealer,
        egress=cast("Fetcher", egress),
        product=cast("Caller", product),
        emitter=cast("Emitter", _Later(lambda: _open_emitter(cast("Store", store), settings))),
        scheduling=cache(lambda: _scheduling(cast("Store", store), settings)),
        sealer=sealer,
    )


def _open_emitter(store: "Store", settings: Settings) -> "Emitter":
    from oriel.emitting import Emitter, event_bounds

    return Emitter(store, event_bounds(settings), told=_bell(settings))


def _bell(settings: Settings) -> "Callable[[Work], None]":
    """In AWS there is a queue to announce events on; on one machine the dispatcher looks for them."""
    if not settings.work_queue:
        return lambda _: None
    from oriel.bell import bell_of

    return bell_of(settings)


def _scheduling(store: "Store", settings: Settings) -> "Scheduling":
    from oriel.scheduling import Scheduling

    return Scheduling(store, least_seconds=settings.schedule_min_seconds)


class _Later:
    """Something that is made when one of its methods is first asked for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._making = threading.Lock()
        self._made: Any = None

    def open(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = self._make()
        return self._made

    def __getattr__(self, name: str) -> Any:
        return getattr(self.open(), name)

    def close(self) -> None:
        if self._made is not None:
            self._made.close()


def _open_store(url: str) -> "Store":
    from oriel.store.opening import open_store

    return open_store(url)


def _open_egress(settings: Settings) -> "Egress":
    from runner.egress.client import Egress

    return Egress(allow_networks=settings.egress_allow_networks, mode=settings.egress_mode)


def _open_product(operations: Mapping[str, HostOperation], keys: Keys) -> "Product":
    from oriel.identity.product import HostTokenSigner
    from runner.product import Product

    return Product(operations, HostTokenSigner(keys.host_key))

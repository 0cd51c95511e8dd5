"""A runner made from the settings: what a worker process, a Lambda function and a benchmark start with.

The runner holds the platform's public keys and the keys that open secrets. It signs its calls to the host product,
with a key that is for nothing else.
"""

import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from starlette.applications import Starlette

from oriel.blobs.opening import open_blobs
from oriel.identity import ServiceTokenVerifier
from oriel.identity.product import HostTokenSigner
from oriel.keyring import Keyring
from oriel.operations import load_operations
from oriel.sealing import Sealer
from oriel.settings import MEGABYTE, Settings
from oriel.signing import PublicKey
from oriel.store.base import GuestStore, Store
from oriel.store.opening import open_store
from runner.app import create_app
from runner.artifacts import Artifacts
from runner.board import Board
from runner.components import Components
from runner.core import Runner
from runner.egress.client import Egress
from runner.entry import Standard
from runner.execution import Services
from runner.host.table import host_functions
from runner.pool import Share
from runner.product import Product
from runner.sandbox import Sandbox

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


def build_runner(settings: Settings, keyring: Keyring, board: Board | None = None) -> Runner:
    """A runner over the store, the blobs and the keyring that the settings name."""
    with ExitStack() as opened:
        store = _LaterStore(settings.store_url)
        opened.callback(store.close)
        egress = Egress(allow_networks=settings.egress_allow_networks)
        opened.callback(egress.close)
        operations = load_operations(settings.host_operations, settings.base_url)
        product = Product(operations, HostTokenSigner(keyring.host_key))
        opened.callback(product.close)
        sandbox = Sandbox(host_functions(), standard=standard)
        max_bytes = settings.artifact_cache_mb * MEGABYTE
        artifacts = Artifacts(
            open_blobs(settings.blobs_url),
            [PublicKey(keyring.platform_key.public_key())],
            artifact_cache(settings),
            fingerprint=sandbox.fingerprint,
            max_bytes=max_bytes,
        )
        return Runner(
            sandbox,
            Components(artifacts, sandbox.load, max_bytes=max_bytes),
            Services(store=cast("GuestStore", store), opener=Sealer(keyring), egress=egress, product=product),
            share=Share.of(settings.runner_threads),
            board=board,
            resources=opened.pop_all(),
        )


class _LaterStore:
    """The store, opened when a guest first uses it: its library is a third of what a runner would import to start."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opening = threading.Lock()
        self._store: Store | None = None

    def __getattr__(self, name: str) -> Any:
        with self._opening:
            if self._store is None:
                self._store = open_store(self._url)
        return getattr(self._store, name)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()


def build_app(settings: Settings, keyring: Keyring, board: Board | None = None) -> tuple[Starlette, Runner]:
    """The app and the runner behind it, which the caller closes."""
    runner = build_runner(settings, keyring, board)
    verifier = ServiceTokenVerifier([keyring.service_key.public_key()])
    return create_app(runner, verifier, max_body_bytes=settings.max_body_bytes), runner

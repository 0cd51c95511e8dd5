"""The whole platform on one machine, from settings.

Rules kept here:

- Everything is opened in order and closed in the reverse order, also where the start fails half-way.
- Guests never run in this process: the runner's workers are processes of their own on a loopback port of their own,
  and take no call without the gateway's service token.
- Nothing is in memory alone that a restart would lose: records are in the store, bytes in the blobs, keys in the
  keyring. Publishing that was interrupted goes on at the next start.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from starlette.types import ASGIApp

from gateway.app import create_app as gateway_app
from gateway.assembly import build_gateway
from gateway.core import Gateway
from gateway.dispatch_worker import FEWEST_THREADS, DispatchWorker
from gateway.dispatcher import build_dispatcher
from gateway.http_runner import HttpRunner
from oriel.blobs.opening import open_blobs
from oriel.console import pages_app
from oriel.identity import Authenticator, KeySet, ServiceTokenSigner, SessionSigner, open_keys
from oriel.identity.opening import authenticator
from oriel.keyring import Keyring
from oriel.local.front import Front, key_set, landing
from oriel.local.metrics import PATH as METRICS_PATH
from oriel.local.metrics import metrics_app
from oriel.local.servers import bind, origin, serving
from oriel.local.tokens import jwks
from oriel.local.trust import open_trust
from oriel.local.ui_origin import create_ui_app
from oriel.local.warden import Warden
from oriel.metrics.prometheus import Prometheus
from oriel.operations import load_operations
from oriel.settings import Settings
from oriel.signing import SigningKey
from oriel.store import Store
from oriel.store.event_records import Work
from oriel.store.opening import open_store
from registry.app import create_app as registry_app
from registry.assembly import build_registry
from registry.core import Registry
from registry.quarantine import Quarantines
from registry.worker import PublishWorker
from runner.supervisor import WorkerPool

LOOPBACK = "127.0.0.1"
STREAMS = 16  # each holds a thread while it reads
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
Product = Callable[["LocalPlatform"], ASGIApp]


class LocalPlatform:
    """The running platform. Use it in a `with`; inside, it answers.

    Args:
        settings: where and how; port 0 takes any free port.
        product: makes a host product's app for the product origin, from the running platform.
    """

    def __init__(self, settings: Settings, product: Product | None = None) -> None:
        self.settings = settings
        self._product = product
        self._stack = ExitStack()
        self._stop = threading.Event()

    @property
    def base_url(self) -> str:
        """The product origin, with the API."""
        return self.settings.base_url

    @property
    def ui_base_url(self) -> str:
        """The origin of the extensions' UIs."""
        return self.settings.ui_base_url

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def worker_pids(self) -> tuple[int, ...]:
        """The processes that guests run in."""
        return self._workers.pids()

    def wait(self) -> None:
        """Return when the process is told to stop."""
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: self._stop.set())
        self._stop.wait()

    def _start(self) -> None:
        listener = bind(self.settings.host, self.settings.port)
        self._stack.callback(listener.close)
        ui_listener = bind(self.settings.host, self.settings.ui_port)
        self._stack.callback(ui_listener.close)
        self.settings = self.settings.on_ports(listener.getsockname()[1], ui_listener.getsockname()[1])

        self.keyring = Keyring.open(self.settings.keyring_path, create=True)
        store = open_store(self.settings.store_url)
        self._stack.callback(store.close)
        blobs = open_blobs(self.settings.blobs_url)
        users = self._authenticator(store)
        trust = open_trust(self.settings)

        ledger = build_registry(
            self.settings,
            store=store,
            blobs=blobs,
            data_keys=self.keyring,
            platform_key=SigningKey(self.keyring.platform_key),
            trust=trust,
            streams=STREAMS,
            told=self._tell,
        )
        self.runner_url = self._start_runner(Quarantines(ledger))
        runner = HttpRunner(self.runner_url, ServiceTokenSigner(self.keyring.service_key), direct=True)
        sessions = SessionSigner(self.keyring.session_key, self.settings.base_url)
        prometheus = Prometheus(self._workers.states)
        gateway = build_gateway(
            self.settings,
            store=store,
            authenticator=users,
            runner=runner,
            sessions=sessions,
            trust=trust,
            observers=(prometheus,),
        )
        prometheus.gateway = gateway.state
        self._stack.callback(gateway.close)
        self._start_dispatching(store, gateway)
        registry = self._registry(ledger, users)

        doors = gateway_app(gateway)
        pages = pages_app(self.settings)
        front = Front(
            [
                ("/api/ext/", doors),
                ("/api/ext-session", doors),
                ("/api/v1/", registry),
                ("/openapi.json", registry),
                ("/healthz", registry),
                (METRICS_PATH, metrics_app(prometheus, users)),
                ("/oriel/", pages),
                ("/console/", pages),
                ("/console", pages),
                ("/.well-known/jwks.json", key_set(jwks(self.keyring.issuer_key, host=self.keyring.host_key))),
            ],
            otherwise=self._product(self) if self._product else landing(),
        )
        ui_app = create_ui_app(blobs, ui_origin=self.ui_base_url, host_origins=self.settings.allowed_origins)
        self._stack.enter_context(serving(ui_app, ui_listener, "ui-origin"))
        self._stack.enter_context(serving(front, listener, "product-origin"))

    def _authenticator(self, store: Store) -> Authenticator:
        if self.settings.oidc_jwks:
            keys = open_keys(self.settings.oidc_jwks)
        else:
            local = json.dumps(jwks(self.keyring.issuer_key)).encode()
            keys = KeySet(lambda: local)
        return authenticator(self.settings, keys, store)

    def _start_runner(self, quarantines: Quarantines) -> str:
        """Start the workers; the URL they share."""
        warden = Warden(quarantines)
        self._stack.callback(warden.close)
        load_operations(self.settings.host_operations, self.base_url)  # a mistake stops the start, not each worker's
        listener = bind(LOOPBACK, 0)
        self._stack.callback(listener.close)
        self._workers = WorkerPool(
            self.settings.runner_workers,
            [sys.executable, "-m", "runner"],
            listener,
            slots=self.settings.runner_threads,
            env={**_inherited(), **self.settings.environment()},
            on_death=warden.told,
        )
        self._stack.enter_context(self._workers)
        self._workers.wait_ready()
        return origin(listener)

    def _start_dispatching(self, store: Store, gateway: Gateway) -> None:
        places = self.settings.runner_workers * self.settings.runner_threads
        dispatcher = build_dispatcher(self.settings, store, gateway, told=self._tell)
        self._dispatching = DispatchWorker(dispatcher, threads=max(FEWEST_THREADS, places))
        self._dispatching.start()
        self._stack.callback(self._dispatching.stop)

    def _tell(self, work: Work) -> None:
        """Work has come up somewhere: look for it now."""
        self._dispatching.wake(work)

    def _registry(self, registry: Registry, authenticator: Authenticator) -> ASGIApp:
        worker = PublishWorker(registry)
        worker.start()
        self._stack.callback(worker.stop)
        return registry_app(registry, authenticator.authenticate, wake=worker.wake, tidy=worker.tidy)


def _inherited() -> dict[str, str]:
    """What a worker needs of this process's environment, and none of its secrets."""
    return {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR"}}

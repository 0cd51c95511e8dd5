"""One real component of `alga:extension` on a real runner, beside a real product on loopback."""

import base64
import json
from dataclasses import dataclass, field
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.identity.product import HostTokenSigner
from oriel.operations import load_operations
from oriel.sealing import DataKey, Sealer
from oriel.store.opening import open_store
from runner.assembly import standard
from runner.components import Components
from runner.core import Runner
from runner.execution import Services
from runner.host.table import host_functions
from runner.pool import Share
from runner.product import Product
from runner.sandbox import Sandbox
from tests.guests.alga import component
from tests.runner.egress.servers import Server, http
from tests.runner.small_platform import EXTENSION, Platform, digest

OPERATIONS = (
    "ui.call-route",
    "invoices.create-manual",
    "clients.list",
    "clients.get",
    "services.list",
    "services.get",
)
GRANTS = (
    "secrets.get",
    "http.fetch",
    "storage.kv",
    "ui.proxy",
    "user.read",
    "schedule.manage",
    "invoice.manual.create",
    "client.read",
    "service.read",
)
_installs = count(1)


class OneKey:
    def __init__(self):
        self.key = DataKey("key_1", AESGCM(b"k" * 32))

    def current(self):
        return self.key

    def by_id(self, key_id):
        return self.key if key_id == self.key.key_id else None


@dataclass
class Told:
    """What the product was asked, and what it answers by operation: JSON, or `(status line, JSON)`."""

    answers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def answer(self, request):
        message = json.loads(request.partition(b"\r\n\r\n")[2])
        self.asked.append(message)
        answer = self.answers[message["operation"]]
        status, body = answer if isinstance(answer, tuple) else ("200 OK", answer)
        return http(json.dumps(body).encode(), status)


@dataclass
class App:
    """An install of the component. `grants` are what it was granted."""

    runner: Runner
    content_hash: str
    sealer: Sealer
    product: Told
    install: str = field(default_factory=lambda: f"ins_{next(_installs)}")
    grants: tuple = GRANTS
    user: dict | None = None
    secrets: tuple = ()

    def execute(self, body=b"", method="POST", record=None, **http_parts) -> ExecuteResponse:
        context = {
            "request_id": "req_1",
            "execution_id": "exe_1",
            "tenant_id": "acme",
            "extension_id": EXTENSION,
            "install_id": self.install,
            "version_id": "ver_1",
            "version": "1.0.0",
            "content_hash": self.content_hash,
        }
        request = {
            "context": context,
            "http": {"method": method, "path": "/", **http_parts, "body_b64": base64.b64encode(body).decode()},
            "limits": {"timeout_ms": 60_000},  # how busy the machine is, is not what is tested
            "providers": list(self.grants),
            "secrets": [self._sealed(**secret) for secret in self.secrets],
            "user": self.user,
            "record": record,
        }
        self.asked = ExecuteRequest.convert(request)
        return self.runner.execute(self.asked)

    def call(self, interface, function, *args, record=None):
        """What the import answers to the component: ("ok", value) or ("err", payload)."""
        message = {"interface": interface, "function": function, "args": args}
        answer = self.execute(json.dumps(message, default=_encoded).encode(), record=record)
        assert answer.error is None, answer.error
        self.last = answer
        decoded = json.loads(answer.body(), object_hook=_decoded)
        return ("err", decoded["err"]) if "err" in decoded else ("ok", decoded.get("ok"))

    def _sealed(self, name, value, **more):
        sealed = self.sealer.seal("acme", self.install, name, value)
        return {
            "name": name,
            "key_id": sealed.key_id,
            "nonce_b64": base64.b64encode(sealed.nonce).decode(),
            "ciphertext_b64": base64.b64encode(sealed.ciphertext).decode(),
            **more,
        }


def _encoded(value):
    return {"$bytes": list(value)}


def _decoded(value):
    if "$bytes" in value:
        return bytes(value["$bytes"])
    return int(value["$u64"]) if "$u64" in value else value


@pytest.fixture(scope="session")
def product():
    told = Told()
    server = Server(told.answer)
    told.port = server.port
    yield told
    server.stop()


@pytest.fixture(scope="session")
def stage(tmp_path_factory, product):
    """The runner, the component's content hash, the sealer."""
    platform = Platform(tmp_path_factory.mktemp("alga"))
    wasm, native = component()
    content_hash = platform.store(digest(wasm), native, handler="alga")
    declared = {name: {"url": f"http://127.0.0.1:{product.port}/{name}"} for name in OPERATIONS}
    client = Product(load_operations(json.dumps(declared), ""), HostTokenSigner(Ed25519PrivateKey.generate()))
    store, sealer = open_store(platform.store_url), Sealer(OneKey())
    sandbox = Sandbox(host_functions(), standard=standard)
    components = Components(platform.artifacts(), sandbox.load, max_bytes=10**9)
    runner = Runner(
        sandbox, components, Services(store=store, opener=sealer, sealer=sealer, product=client), share=Share.of(1)
    )
    yield runner, content_hash, sealer
    runner.close()
    client.close()
    store.close()
    platform.close()


@pytest.fixture
def make_app(stage, product):
    product.asked.clear()
    product.answers.clear()
    return lambda **changes: App(*stage, product, **changes)


@pytest.fixture
def app(make_app):
    return make_app()

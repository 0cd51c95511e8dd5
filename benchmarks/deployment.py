"""The platform that benchmarks measure: the guests published and installed through its HTTP API.

Publishing compiles, which takes a while, so the data directory is made once and kept in the build's cache; each run
works on a copy of its own and leaves the kept one as it was. The requests here are what a gateway would send.
"""

import hashlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx

from benchmarks import guests
from benchmarks.processes import environment
from oriel.build.tools import cache_dir
from oriel.bundle import content_hash
from oriel.client import PlatformClient
from oriel.contract import ExecuteRequest, ExecutionContext, HttpRequest, body_fields
from oriel.engine.config import current_fingerprint
from oriel.ids import new_id
from oriel.keyring import Keyring
from oriel.local.tokens import mint_token
from oriel.settings import Settings
from oriel.signing import SigningKey, generate_key, sign_bundle
from runner.assembly import build_runner
from runner.core import Runner

TENANT, PUBLISHER = "northwind", "com.acme"
ROLES = ("admin", "publisher", "operator")
LOOPBACK = "127.0.0.1"
COMPILE_SECONDS = "900"  # of a guest, on a machine that does other things too
START_SECONDS = 180.0  # a first start writes bytecode
SHOWN = 2_000  # characters of a log
PUBLISHED = "published.json"
BINARY = "application/octet-stream"
TEXT = "text/plain"

# What a browser's request brings through the gateway's filter.
HEADERS = (("accept", "application/json"), ("user-agent", "benchmark/1"), ("x-request-id", "req_benchmark"))


class Published(NamedTuple):
    """A guest as it was published."""

    extension_id: str
    version: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A platform's data directory, the guests that were published there, and their components."""

    data_dir: Path
    published: Mapping[str, Published]

    @classmethod
    def at(cls, data_dir: Path) -> "Deployment":
        written = json.loads((data_dir / PUBLISHED).read_text())
        return cls(data_dir, {name: Published(*entry) for name, entry in written.items()})

    def component(self, guest: str) -> bytes:
        return self.component_path(guest).read_bytes()

    def component_path(self, guest: str) -> Path:
        return _component_path(self.data_dir, guest)

    def settings(self) -> Settings:
        return Settings.load(data_dir=self.data_dir, log_level="warning")

    def runner(self) -> Runner:
        """A runner in this process, made like a worker's; the caller closes it."""
        settings = self.settings()
        return build_runner(settings, Keyring.open(settings.keyring_path))

    def request(
        self, guest: str, method: str = "GET", path: str = "/hello", body: bytes = b"", content_type: str = BINARY
    ) -> ExecuteRequest:
        """An execution of a guest, as the gateway would ask for it."""
        context = ExecutionContext(
            request_id=new_id("req"),
            execution_id=new_id("exe"),
            tenant_id=TENANT,
            install_id="ins_benchmark",
            version_id="ver_benchmark",
            **self.published[guest]._asdict(),
        )
        headers = (*HEADERS, ("content-type", content_type)) if body else HEADERS
        http_request = HttpRequest(method=method, path=path, route=path, headers=headers, **body_fields(body))
        return ExecuteRequest(context=context, http=http_request)

    def token(self) -> str:
        key = Keyring.open(self.settings().keyring_path).issuer_key
        return mint_token(key, subject="benchmark", tenant=TENANT, roles=ROLES, lifetime=3_600)


@contextmanager
def deployed() -> Iterator[Deployment]:
    """A deployment with every guest, of this run alone."""
    kept = _kept()
    with tempfile.TemporaryDirectory(prefix="oriel-benchmark-") as folder:
        data_dir = Path(folder) / "data"
        shutil.copytree(kept, data_dir)
        yield Deployment.at(data_dir)


@contextmanager
def serving(data_dir: Path) -> Iterator[int]:
    """`oriel serve` on a data directory, in processes of its own; the port of the product origin."""
    port, ui_port = free_ports(2)
    command = [sys.executable, "-m", "oriel", "serve", "--data-dir", str(data_dir)]
    command += ["--port", str(port), "--ui-port", str(ui_port)]
    log = data_dir / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment(ORIEL_COMPILE_SECONDS=COMPILE_SECONDS)
        )
    try:
        if not _comes_up(process, port):
            raise RuntimeError(f"'oriel serve' did not start:\n{log.read_text(errors='replace')[-SHOWN:]}")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _kept() -> Path:
    """The data directory in the cache, made now where there is none for these guests, this engine and this store."""
    code = guests.hash_of(guests.ROOT / "oriel" / "store", guests.ROOT / "oriel" / "provenance.py")
    made_from = [*map(guests.source_hash, guests.NAMES), current_fingerprint(), code]
    home = cache_dir() / "benchmarks" / f"platform-{hashlib.sha256(repr(made_from).encode()).hexdigest()[:16]}"
    if not home.is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="unfinished-", dir=home.parent) as temporary:
            work = Path(temporary) / "data"
            _publish_all(work)
            guests.keep(work, home)
    return home


def _publish_all(data_dir: Path) -> None:
    """Publish and install every guest, call each once, and write down what was published."""
    data_dir.mkdir()
    loaded = {name: guests.load(name) for name in guests.NAMES}
    key = generate_key("ed25519")
    published = {}
    with serving(data_dir) as port:
        token = Deployment(data_dir, {}).token()
        with PlatformClient(f"http://{LOOPBACK}:{port}", token) as client:
            client.api("POST", "/publishers", json={"publisher": PUBLISHER, "prefixes": [PUBLISHER]})
            client.api("POST", f"/publishers/{PUBLISHER}/keys", json={"public_key_pem": key.public.to_pem()})
            for name, guest in loaded.items():
                print(f"{name}: publishing", file=sys.stderr)
                published[name] = _publish(client, guest, key)
                _component_path(data_dir, name).write_bytes(guest.component)
    (data_dir / PUBLISHED).write_text(json.dumps(published))


def _component_path(data_dir: Path, guest: str) -> Path:
    return data_dir / f"{guest}.wasm"


def _publish(client: PlatformClient, guest: guests.Guest, key: SigningKey) -> Published:
    manifest, digest = guest.manifest, content_hash(guest.bundle)
    version = str(manifest.version)
    envelope = sign_bundle(digest, key, name=manifest.name, version=version, publisher=PUBLISHER)
    client.publish(guest.bundle, json.loads(envelope))
    client.install(manifest.name, grants=[])
    answer = client.call(manifest.name, "/hello")
    if not answer.is_success:
        raise RuntimeError(f"{manifest.name} answers {answer.status_code}: {answer.text}")
    return Published(manifest.name, version, digest)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nothing listens on."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def _comes_up(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Wait for an answer: the socket listens before the platform is up."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"http://{LOOPBACK}:{port}/healthz", timeout=5, trust_env=False).is_success:
                return True
        except httpx.HTTPError:
            time.sleep(0.05)
    return False

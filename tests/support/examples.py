"""Examples and other projects, built and compiled once for all test runs, and installs of them over a real runner.

What was built lies in the build's cache, so only a change builds again.
"""

import base64
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from wasmtime.component import Component

from oriel.build import build
from oriel.build.tools import cache_dir
from oriel.configuration import as_strings
from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.engine.config import new_engine
from oriel.engine.inspect import describe
from oriel.ids import new_id
from oriel.manifest import Manifest
from runner.core import Runner
from tests.guests.build import native
from tests.runner.small_platform import Platform, digest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ADMIN = {"id": "ada", "name": "Ada Lindqvist", "email": "ada@northwind.example", "roles": ["admin", "member"]}
MEMBER = {"id": "nils", "name": "Nils Berg", "email": "nils@northwind.example", "roles": ["member"]}


@dataclass(frozen=True)
class Built:
    """A project's manifest, its component, and the component compiled for this engine."""

    manifest: Manifest
    component: bytes
    native: bytes

    def imports(self) -> frozenset[str]:
        """The interfaces that the component imports."""
        engine = new_engine()
        return frozenset(describe(Component.deserialize(engine, self.native), engine).imports)


def built(project: Path) -> Built:
    """A project, from the build's cache where its sources and the tools are what they were."""
    with tempfile.TemporaryDirectory() as folder:  # so that the checkout stays as it is
        work = Path(shutil.copytree(project, Path(folder) / project.name, ignore=shutil.ignore_patterns("dist")))
        component = build(work, progress=print).component.read_bytes()
    home = cache_dir() / "tests" / f"{project.name}-{hashlib.sha256(component).hexdigest()[:16]}"
    manifest = Manifest.parse((project / "manifest.json").read_bytes())
    return Built(manifest, component, native(home, component))


@dataclass
class Installed:
    """A project installed for a tenant of its own, and called as the gateway would call the runner."""

    runner: Runner
    manifest: Manifest
    content_hash: str
    config: Mapping[str, Any] = field(default_factory=dict)
    withheld: Sequence[str] = ()
    install_id: str = field(default_factory=lambda: new_id("ins"))

    def call(
        self, method: str, path: str, body: Any = None, *, user: Mapping[str, Any] | None = ADMIN, query: str = ""
    ) -> ExecuteResponse:
        """Execute one request. `body` is sent as JSON, text and bytes as they are."""
        return self.runner.execute(ExecuteRequest.convert(self._request(method, path, body, user, query)))

    def json(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The answer's JSON; an answer of 400 or more fails the test."""
        answer = self.call(method, path, body, **options)
        assert answer.error is None, answer.error
        assert answer.status < 400, answer.body()
        return json.loads(answer.body())

    def _request(self, method: str, path: str, body: Any, user: Mapping[str, Any] | None, query: str) -> dict[str, Any]:
        asked = self.manifest.asked
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return {
            "context": {
                "request_id": new_id("req"),
                "execution_id": new_id("exe"),
                "tenant_id": f"tenant-{self.install_id}",
                "extension_id": self.manifest.name,
                "install_id": self.install_id,
                "version_id": "ver_1",
                "version": self.manifest.version,
                "content_hash": self.content_hash,
                "config": as_strings(self.manifest.settings, self.config),
            },
            "http": {
                "method": method,
                "path": path,
                "query": query,
                "headers": [("content-type", "application/json")] if data else [],
                "body_b64": base64.b64encode(data).decode(),
            },
            "limits": {"timeout_ms": 60_000},  # how busy the machine is, is not what is tested
            "providers": [name for name in asked if name not in self.withheld],
            "egress": [host for name, ask in asked.items() if name not in self.withheld for host in ask.hosts],
            "operations": [
                operation for name, ask in asked.items() if name not in self.withheld for operation in ask.operations
            ],
            "user": user,
        }


class Host:
    """One runner for many installs. Every install has a tenant and an id of its own: no test sees another's data."""

    def __init__(self, root: Path) -> None:
        self._platform = Platform(root)
        self._runner = self._platform.runner()
        self.close = self._platform.close

    def publish(self, project: Path) -> Callable[..., Installed]:
        """Build a project and store it; the result makes installs of it and takes `config` and `withheld`."""
        made = built(project)
        manifest = made.manifest
        content_hash = self._platform.store(
            digest(made.component), made.native, extension_id=manifest.name, version=manifest.version
        )
        return partial(Installed, self._runner, manifest, content_hash)

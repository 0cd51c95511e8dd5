"""A platform of files for the runner's tests: what the registry would have stored for a published guest.

Nothing here makes an engine at import: pytest's fault handler, installed later, would take the engine's signals.
"""

import hashlib
from pathlib import Path
from typing import Any

import zstandard

from oriel.blobs.files import FileBlobs
from oriel.engine.config import current_fingerprint
from oriel.native_code import digest_of
from oriel.provenance import (
    Artifact,
    BundleIndex,
    artifact_key,
    artifact_statement_key,
    index_key,
    sign_artifact,
    sign_index,
)
from oriel.signing import SigningKey, generate_key
from oriel.store import open_store
from runner.artifacts import Artifacts
from runner.assembly import standard
from runner.components import Components
from runner.core import Runner
from runner.egress.client import Egress
from runner.execution import Services
from runner.host.table import host_functions
from runner.pool import Share
from runner.sandbox import Sandbox
from tests.guests.build import compiled

EXTENSION = "com.acme.reports"


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Platform:
    """Blobs signed by one platform key, and runners over them."""

    def __init__(self, root: Path) -> None:
        self.fingerprint = current_fingerprint()
        self.key: SigningKey = generate_key("ed25519")
        self.blobs = FileBlobs(root / "blobs")
        self.cache = root / "cache"
        self.store_url = f"sqlite:{root / 'oriel.db'}"
        self._runners: list[tuple[Runner, Any]] = []

    def publish(self, wasm: bytes, **index: Any) -> str:
        """Store the guest's index and artifact; its content hash."""
        return self.store(digest(wasm), compiled(wasm).cwasm, **index)

    def store(self, component: str, native: bytes, **index: Any) -> str:
        self.store_artifact(component, native)
        return self.store_index(component, **index)

    def store_index(self, component: str, key: SigningKey | None = None, **changes: Any) -> str:
        members = {"extension_id": EXTENSION, "version": "1.0.0", "publisher": "com.acme", **changes}
        content_hash = digest(f"{component} {members}".encode())
        index = BundleIndex(
            content_hash=content_hash, component_digest=component, signer_key_id=self.key.key_id, **members
        )
        self.blobs.put_new(index_key(content_hash), sign_index(index, key or self.key))
        return content_hash

    def store_artifact(self, component: str, native: bytes, **statement: Any) -> None:
        members = {"digest": digest_of(native), "size": len(native), "fingerprint": self.fingerprint, **statement}
        artifact = Artifact(component_digest=component, **members)
        packed = zstandard.ZstdCompressor(level=1).compress(native)
        self.blobs.put_new(artifact_key(self.fingerprint, component), packed)
        self.blobs.put_new(artifact_statement_key(self.fingerprint, component), sign_artifact(artifact, self.key))

    def artifacts(self, *, max_bytes: int = 10**9) -> Artifacts:
        return Artifacts(self.blobs, [self.key.public], self.cache, fingerprint=self.fingerprint, max_bytes=max_bytes)

    def runner(self, share: Share | None = None, *, egress: Egress | None = None) -> Runner:
        store = open_store(self.store_url)
        sandbox = Sandbox(host_functions(), standard=standard)
        components = Components(self.artifacts(), sandbox.load, max_bytes=10**9)
        runner = Runner(sandbox, components, Services(store=store, egress=egress), share=share or Share.of(2))
        self._runners.append((runner, store))
        return runner

    def close(self) -> None:
        for runner, store in self._runners:
            runner.close()
            store.close()

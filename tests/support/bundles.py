"""Bundles for tests: a project's tree, and the signed bundle of one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oriel.bundle import Packed, pack
from oriel.signing import SigningKey, TrustBundle, generate_key, sign_bundle

EMPTY_COMPONENT = b"\0asm\x0d\0\x01\0"
"""The smallest component there is: it imports and exports nothing."""


def manifest_document(**overrides: Any) -> dict[str, Any]:
    """A small valid manifest; an override of None leaves the key out."""
    document = {
        "manifest_version": 2,
        "name": "com.acme.reports",
        "publisher": "com.acme",
        "version": "1.2.0",
        "title": "Reports",
        "runtime": "wasm-py@1",
        "capabilities": ["storage.kv"],
        "ui": {"entry": "ui/index.html", "hooks": {"appMenu": [{"label": "Reports"}]}},
        "api": {"endpoints": [{"method": "GET", "path": "/reports/:id"}, {"method": "POST", "path": "/reports"}]},
        **overrides,
    }
    return {key: value for key, value in document.items() if value is not None}


def make_bundle_tree(
    root: Path, *, component: bytes = EMPTY_COMPONENT, ui: dict[str, bytes] | None = None, **manifest_overrides: Any
) -> Path:
    """Write a project under `root` that `pack` takes, and return `root`.

    Args:
        ui: files below `ui/`; by default an `index.html`.
    """
    files = {
        f"ui/{name}": data for name, data in (ui or {"index.html": b"<!doctype html><title>Reports</title>"}).items()
    }
    files["dist/main.wasm"] = component
    files["manifest.json"] = json.dumps(manifest_document(**manifest_overrides), indent=2).encode()
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


@dataclass(frozen=True)
class SignedBundle:
    """A bundle, its envelope, the key that signed it, and a trust bundle that believes the key."""

    packed: Packed
    envelope: bytes
    key: SigningKey

    @property
    def data(self) -> bytes:
        return self.packed.data

    @property
    def content_hash(self) -> str:
        return self.packed.content_hash

    @property
    def trust_pem(self) -> str:
        return f"Publisher: {self.packed.manifest.publisher}\n{self.key.public.to_pem()}"

    @property
    def trust(self) -> TrustBundle:
        return TrustBundle.from_pem(self.trust_pem)


def make_signed_bundle(
    root: Path, component: bytes = EMPTY_COMPONENT, *, key: SigningKey | None = None, **tree: Any
) -> SignedBundle:
    """Pack and sign a project; `tree` goes to `make_bundle_tree`, the manifest's overrides with it."""
    packed = pack(make_bundle_tree(root, component=component, **tree))
    manifest, signer = packed.manifest, key or generate_key()
    envelope = sign_bundle(
        packed.content_hash,
        signer,
        name=manifest.name,
        version=manifest.version,
        publisher=manifest.publisher,
    )
    return SignedBundle(packed, envelope, signer)

"""The whole platform for end-to-end tests: real processes, real HTTP, guests written in text."""

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path

from oriel.bundle import pack
from oriel.client import PlatformClient
from oriel.local import LocalPlatform
from oriel.local.tokens import mint_token
from oriel.settings import Settings
from oriel.signing import generate_key, sign_bundle
from tests.guests import hostile
from tests.support.bundles import make_bundle_tree

ACME = generate_key()
ASKED = [{"name": "storage.kv", "purpose": "To remember."}]
EVERYBODY = ("admin", "publisher", "operator", "product")


def local_settings(folder, **overrides):
    settings = {"port": 0, "ui_port": 0, "runner_workers": 1, "log_level": "error"} | overrides
    return Settings.load(data_dir=Path(folder) / ".oriel", **settings)


def token(platform, *roles, tenant="northwind", subject="ada", **claims):
    key = platform.keyring.issuer_key
    return mint_token(key, subject=subject, tenant=tenant, roles=roles or EVERYBODY, **claims)


@contextmanager
def client(platform, *roles, tenant="northwind", **claims):
    with PlatformClient(platform.base_url, token(platform, *roles, tenant=tenant, **claims)) as connected:
        yield connected


def packed(component=hostile.HELLO, **manifest):
    """A bundle of com.acme: `GET /` and `POST /`, and whatever replaces the manifest's members."""
    manifest.setdefault("capabilities", [])
    manifest.setdefault("api", {"endpoints": [{"method": method, "path": "/"} for method in ("GET", "POST")]})
    with tempfile.TemporaryDirectory() as folder:
        return pack(make_bundle_tree(Path(folder), component=component, runtime="wasm@1", **manifest))


def envelope(bundle, key=ACME):
    manifest = bundle.manifest
    claims = {"name": manifest.name, "version": str(manifest.version), "publisher": manifest.publisher}
    return json.loads(sign_bundle(bundle.content_hash, key, **claims))


def register_acme(platform):
    with client(platform) as operator:
        operator.api("POST", "/publishers", json={"publisher": "com.acme", "prefixes": ["com.acme"]})
        operator.api("POST", "/publishers/com.acme/keys", json={"public_key_pem": ACME.public.to_pem()})


def publish(platform, component=hostile.HELLO, **manifest):
    bundle = packed(component, **manifest)
    with client(platform) as author:
        return author.publish(bundle.data, envelope(bundle))


def publish_and_install(platform, component=hostile.HELLO, *, tenant="northwind", grants=(), config=None, **manifest):
    """The extension's id, published and installed for `tenant` with exactly `grants`."""
    published = publish(platform, component, **manifest)
    with client(platform, tenant=tenant) as admin:
        admin.install(published["extension_id"], grants=list(grants), config=config)
    return published["extension_id"]


@contextmanager
def running(folder, **overrides):
    with LocalPlatform(local_settings(folder, **overrides)) as platform:
        register_acme(platform)
        yield platform

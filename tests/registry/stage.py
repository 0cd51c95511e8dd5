"""A registry on SQLite and files, with a publisher that is registered and one that is not trusted."""

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from oriel.blobs import open_blobs
from oriel.bundle import pack
from oriel.identity import Principal
from oriel.keyring import Keyring
from oriel.sealing import Sealer
from oriel.signing import SigningKey, TrustBundle, generate_key, sign_bundle
from oriel.store import open_store
from registry.compiling import Compiler
from registry.core import Limits, Registry
from registry.installs import Installs
from registry.publish import Publishing
from registry.publishers import Publishers
from registry.quarantine import Quarantines
from registry.uploads import Uploads
from tests.guests import hostile
from tests.support.sqlite import migrated_file

ACME = generate_key()
NAME = "com.acme.notes"
AUTHOR = "/ann"
ADMIN = Principal(subject="ada", tenant_id="t1", roles=("admin",))
OTHER_ADMIN = Principal(subject="eve", tenant_id="t2", roles=("admin",))
OPERATOR = Principal(subject="op", roles=("operator",))
PUBLISHER = Principal(subject="ann", roles=("publisher",))
EVERYTHING = [
    {"name": "storage.kv", "purpose": "To keep notes."},
    {"name": "http.fetch", "purpose": "To send them.", "hosts": ["api.acme.com", "*.acme.net"]},
    {"name": "secrets.get", "purpose": "To sign in there."},
]


def project(version="1.0.0", *, component=hostile.HELLO, files=None, **manifest):
    """A packed bundle with `files` under `ui/`; keyword arguments replace the manifest's members."""
    content = {
        "manifest_version": 2,
        "name": NAME,
        "publisher": "com.acme",
        "version": version,
        "title": "Notes",
        "runtime": "wasm@1",
        "api": {"endpoints": [{"method": "GET", "path": "/"}]},
        **manifest,
    }
    parts = {"manifest.json": json.dumps(content).encode(), "dist/main.wasm": component}
    parts |= {f"ui/{path}": data for path, data in (files or {}).items()}
    with tempfile.TemporaryDirectory() as name:
        for path, data in parts.items():
            target = Path(name, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return pack(Path(name))


def signed(packed, key=ACME, **claims):
    manifest = packed.manifest
    claimed = {"name": manifest.name, "version": manifest.version, "publisher": manifest.publisher}
    return json.loads(sign_bundle(packed.content_hash, key, **(claimed | claims)))


class RememberingCompiler:
    """The real compiler, asked once for each component in a test process."""

    known = {}  # noqa: RUF012 - shared on purpose
    fuel = False

    def compile(self, component):
        if component not in self.known:
            self.known[component] = Compiler(memory_mb=4096, seconds=60).compile(component)
        return self.known[component]


def open_registry(folder, *, wrap_store=lambda store: store, wrap_blobs=lambda blobs: blobs, **fields):
    keyring, database = Keyring.open(Path(folder, "keyring.json"), create=True), Path(folder, "oriel.db")
    if not database.exists():
        migrated_file(database)
    return Registry(
        store=wrap_store(open_store(f"sqlite:{database}")),
        blobs=wrap_blobs(open_blobs(f"file:{folder}/blobs")),
        sealer=Sealer(keyring),
        platform_key=SigningKey(keyring.platform_key),
        trust=TrustBundle(),
        limits=Limits(compile_memory_mb=4096, compile_seconds=60),
        **fields,
    )


class Stage:
    """The registry's parts in the hands of a test."""

    def __init__(self, folder, **fields):
        self.folder, self._remembered = folder, None
        self.registry = open_registry(folder, **fields)
        self.store, self.blobs = self.registry.store, self.registry.blobs
        self.uploads, self.installs = Uploads(self.registry), Installs(self.registry)
        self.publishers = Publishers(self.registry)
        self.publishing = Publishing(self.registry, RememberingCompiler())

    def add_publisher(self, name="com.acme", key=ACME):
        self.publishers.register(OPERATOR, name, ())
        self.publishers.add_key(OPERATOR, name, key.public.to_pem(), 0)

    def finalized(self, packed, envelope=None, author=AUTHOR):
        upload, _ = self.uploads.open(author, packed.content_hash, len(packed.data))
        if upload.state == "open":
            self.uploads.receive(author, upload.upload_id, [packed.data])
        return self.uploads.finalize(author, upload.upload_id, envelope or signed(packed))

    def publish(self, packed, envelope=None, author=AUTHOR):
        return self.publishing.run(self.finalized(packed, envelope, author))

    def quarantine(self, content_hash):
        return Quarantines(self.registry).add(content_hash, NAME, deaths=3, reason="It aborts.")

    def remember(self):
        """What `reset` goes back to: the records as they are now."""
        self._remembered = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(self.folder / "oriel.db")) as database:
            database.backup(self._remembered)

    def reset(self):
        """The records as they were remembered, and no blobs: as good as another stage, and sooner there."""
        with closing(sqlite3.connect(self.folder / "oriel.db")) as database:
            self._remembered.backup(database)
        shutil.rmtree(self.folder / "blobs")
        open_blobs(f"file:{self.folder}/blobs")

    def close(self):
        self.store.close()
        if self._remembered:
            self._remembered.close()

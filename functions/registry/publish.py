"""Publishing: the state machine that takes an upload session to `ready` or to `rejected`.

    open ──finalize──▶ uploaded ──▶ verified ──▶ compiled ──▶ ready
                           └───────────┴────────────┴───────▶ rejected, with every reason

Rules kept here:

- A step begins from the staged bytes and may be repeated after a crash at any point: all that it writes is
  written once, under a key that the bytes themselves decide, or is compared with what is there.
- Every step verifies again. A key that was revoked between two steps stops the publication.
- Nothing is visible before `ready`. Blobs come first; the version's row is written last, in one transaction.
- The session's record moves by its revision: of two publishers at work on one session, one moves it.
- A store or a blob store that does not answer changes nothing and is tried again. A fault that nobody foresaw is
  tried `MAX_ATTEMPTS` times, and an attempt is counted before it begins, so that one which ends the process counts.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import zstandard

from oriel.blobs import BlobMismatch, BlobMissing
from oriel.capabilities import BY_INTERFACE, CAPABILITIES, WIT_PACKAGE
from oriel.engine.inspect import import_findings, offered
from oriel.errors import Finding, InvalidInput, OrielError
from oriel.ids import new_id
from oriel.manifest import Manifest
from oriel.provenance import (
    Artifact,
    BundleIndex,
    artifact_key,
    artifact_statement_key,
    bundle_key,
    component_key,
    index_key,
    manifest_key,
    sign_artifact,
    sign_index,
    signature_key,
    ui_prefix,
    verify_artifact,
    verify_index,
)
from oriel.store import Conflict
from oriel.store.records import TERMINAL_STATES, Bundle, Extension, Upload, UploadState, Version
from registry.compiling import Compiled, Compiler
from registry.core import Registry
from registry.uploads import Uploads
from registry.verify import Reason, Rejected, Verified, Verifier, reasons

MAX_ATTEMPTS = 5
ARTIFACT_LEVEL = 3  # zstd: 37 MB to 11 MB in a third of a second, and 32 ms to unpack

_log = logging.getLogger(__name__)


class Publishing:
    """Moves sessions on, one step at a time."""

    def __init__(self, registry: Registry, compiler: Compiler) -> None:
        self._registry = registry
        self._store = registry.store
        self._blobs = registry.blobs
        self._compiler = compiler
        self._verifier = Verifier(registry)
        self._uploads = Uploads(registry)
        self._steps: dict[UploadState, Callable[[Upload], Upload]] = {
            "uploaded": self._verify,
            "verified": self._compile,
            "compiled": self._register,
        }

    def run(self, upload: Upload) -> Upload:
        """Take a session as far as it goes now.

        Raises:
            OrielError: `unavailable`; the session is where the last finished step left it.
        """
        while upload.state not in TERMINAL_STATES:
            upload = self.step(upload)
        return upload

    def step(self, upload: Upload) -> Upload:
        """One step; the session as it is stored afterwards.

        Raises:
            OrielError: `unavailable`, to be tried again; `conflict`, where another publisher moved the session.
        """
        if upload.attempts >= MAX_ATTEMPTS:
            return self._reject(upload, (("internal", "", f"It failed {MAX_ATTEMPTS} times; ask the operator."),))
        upload = self._move(upload, attempts=upload.attempts + 1)
        try:
            return self._steps[upload.state](upload)
        except Rejected as rejected:
            return self._reject(upload, rejected.reasons)
        except OrielError as error:
            if error.status >= 500:
                self._uncount(upload)
            raise

    # the steps

    def _verify(self, upload: Upload) -> Upload:
        manifest = self._verifier.verify(upload).bundle.manifest
        upload = replace(upload, extension_id=manifest.name, version=manifest.version)
        if self._is_published(upload):
            return self._finish(upload)
        return self._move(upload, state="verified", attempts=0)

    def _compile(self, upload: Upload) -> Upload:
        verified = self._verifier.verify(upload)
        digest = verified.bundle.component_digest
        try:
            compiled = self._compiler.compile(verified.bundle.component)
        except InvalidInput as error:
            raise Rejected(tuple(reasons(error))) from None
        if found := tuple(component_reasons(verified.bundle.manifest, compiled)):
            raise Rejected(found)
        self._store_artifact(digest, compiled)
        self._store_bundle(verified, tuple(sorted(compiled.imports)))
        return self._move(upload, state="compiled", attempts=0)

    def _register(self, upload: Upload) -> Upload:
        verified = self._verifier.verify(upload)
        if not self._is_published(upload):
            try:
                self._store.create_version(*self._records(upload, verified))
            except Conflict as error:
                # Somebody was faster: with the same bytes all is well, with others verifying again says so.
                if not self._is_published(upload):
                    self._verifier.verify(upload)
                    raise Rejected((("conflict", "", error.detail),)) from None
        return self._finish(upload)

    # what they write

    def _store_artifact(self, digest: str, compiled: Compiled) -> None:
        """The native code and, after it, the platform's word for it. Code without that word is used by nobody."""
        artifact = Artifact(
            component_digest=digest,
            fingerprint=compiled.fingerprint,
            digest=f"sha256:{hashlib.sha256(compiled.cwasm).hexdigest()}",
            size=len(compiled.cwasm),
        )
        key = artifact_key(compiled.fingerprint, digest)
        statement_key = artifact_statement_key(compiled.fingerprint, digest)
        keys = self._registry.platform_keys

        def holds(envelope: bytes) -> bool:
            stored = verify_artifact(envelope, component_digest=digest, fingerprint=compiled.fingerprint, keys=keys)
            return self._unpacked_digest(key, stored.size) == stored.digest

        if not self._has(statement_key, holds):
            packed = zstandard.ZstdCompressor(level=ARTIFACT_LEVEL, write_checksum=True).compress(compiled.cwasm)
            self._put_in_place_of_unusable(key, packed)
            self._put_in_place_of_unusable(statement_key, sign_artifact(artifact, self._registry.platform_key))

    def _store_bundle(self, verified: Verified, interfaces: tuple[str, ...]) -> None:
        bundle, manifest, content_hash = verified.bundle, verified.bundle.manifest, verified.bundle.content_hash
        index = BundleIndex(
            content_hash=content_hash,
            extension_id=manifest.name,
            version=manifest.version,
            publisher=manifest.publisher,
            signer_key_id=verified.signature.key_id,
            component_digest=bundle.component_digest,
            interfaces=interfaces,
            capabilities=tuple(sorted(manifest.asked)),
        )
        blobs = {
            bundle_key(content_hash): verified.data,
            manifest_key(content_hash): bundle.manifest_bytes,
            component_key(content_hash): bundle.component,
            signature_key(content_hash): verified.envelope,
        }
        prefix = ui_prefix(manifest.name, content_hash)
        blobs |= {prefix + path.removeprefix("ui/"): data for path, data in bundle.ui.items()}
        for key, data in blobs.items():
            self._put(key, data)
        keys = self._registry.platform_keys
        if not self._has(
            index_key(content_hash), lambda envelope: verify_index(envelope, content_hash=content_hash, keys=keys) == index
        ):
            self._put_in_place_of_unusable(index_key(content_hash), sign_index(index, self._registry.platform_key))

    def _put(self, key: str, data: bytes) -> None:
        try:
            self._blobs.put_new(key, data)
        except BlobMismatch:
            message = "these very bytes came before with another signature, and were not published; raise the version"
            raise Rejected((("conflict", "signature", message),)) from None

    def _has(self, key: str, holds: Callable[[bytes], bool]) -> bool:
        try:
            return holds(self._blobs.get(key))
        except OrielError as error:
            if error.status >= 500:
                raise
            return False

    def _put_in_place_of_unusable(self, key: str, data: bytes) -> None:
        """What is under the key, if anything, was judged to be of no use to anybody."""
        try:
            self._blobs.put_new(key, data)
        except BlobMismatch:
            self._blobs.delete(key)
            self._blobs.put_new(key, data)

    def _unpacked_digest(self, key: str, size: int) -> str:
        digest, total = hashlib.sha256(), 0
        try:
            with self._blobs.open(key) as stream, zstandard.ZstdDecompressor().stream_reader(stream) as unpacked:
                while chunk := unpacked.read(1 << 20):
                    total += len(chunk)
                    digest.update(chunk)
                    if total > size:
                        return ""
        except zstandard.ZstdError:
            return ""
        return f"sha256:{digest.hexdigest()}"

    def _records(self, upload: Upload, verified: Verified) -> tuple[Extension, Bundle, Version]:
        bundle, manifest, now = verified.bundle, verified.bundle.manifest, self._registry.now()
        return (
            Extension(extension_id=manifest.name, publisher=manifest.publisher, created_at=now),
            Bundle(
                content_hash=bundle.content_hash,
                size=bundle.size,
                component_digest=bundle.component_digest,
                created_at=now,
            ),
            Version(
                extension_id=manifest.name,
                version=manifest.version,
                version_id=new_id("ver"),
                content_hash=bundle.content_hash,
                component_digest=bundle.component_digest,
                manifest=manifest.canonical(),
                publisher=manifest.publisher,
                signer_key_id=verified.signature.key_id,
                published_by=upload.principal,
                created_at=now,
            ),
        )

    # the session's record

    def _is_published(self, upload: Upload) -> bool:
        version = self._store.get_version(upload.extension_id or "", upload.version or "")
        return version is not None and version.content_hash == upload.content_hash

    def _move(self, upload: Upload, **changes: Any) -> Upload:
        moved = replace(upload, updated_at=self._registry.now(), revision=upload.revision + 1, **changes)
        self._store.replace_upload(moved)
        return moved

    def _finish(self, upload: Upload) -> Upload:
        finished = self._move(upload, state="ready", attempts=0)
        self._uploads.forget_staged(upload.upload_id)
        return finished

    def _reject(self, upload: Upload, findings: tuple[Reason, ...]) -> Upload:
        rejected = self._move(upload, state="rejected", findings=findings)
        self._uploads.forget_staged(upload.upload_id)
        return rejected

    def _uncount(self, upload: Upload) -> None:
        """An attempt that failed for want of a store is not the bundle's."""
        try:
            self._move(upload, attempts=upload.attempts - 1)
        except OrielError:
            _log.warning("an attempt at %s stays counted", upload.upload_id)


def component_reasons(manifest: Manifest, compiled: Compiled) -> Iterator[Reason]:
    """What the component imports beyond the platform's offer, and beyond what its manifest asks for."""
    for finding in import_findings(compiled.imports, offered()):
        yield "invalid_component", finding.at, finding.message
    for interface in sorted(compiled.imports):
        package, _, rest = interface.partition("/")
        capability = BY_INTERFACE.get(rest.partition("@")[0]) if package == WIT_PACKAGE else None
        if capability and not capability.always and capability.name not in manifest.asked:
            message = f"needs the capability {capability.name}, which the manifest does not ask for"
            yield "invalid_component", f"imports.{interface}", message

"""What publishing leaves in the blob store: the bundle's parts, the native code, and the platform's word for both.

Rules kept here:

- Every deposit may be repeated, and finds what it left before.
- The platform's word comes after what it vouches for: code or a bundle without it is used by nobody, and may be
  replaced by a repetition.
- What is there is not trusted for being there: a statement is verified, and the code under it hashed, before the
  work that would make them again is spared.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

import zstandard

from oriel import strict_json
from oriel.blobs import BlobMismatch
from oriel.engine.inspect import Kind
from oriel.errors import OrielError
from oriel.native_code import CodeHash, digest_of
from oriel.provenance import (
    PREFIX,
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
    verify_artifact,
    verify_index,
)
from oriel.signing import PublicKey
from oriel.ui import ui_blob_key
from oriel.ui_encodings import encodings_of
from registry.compiling import Compiled
from registry.core import Registry
from registry.verify import Rejected, Verified

ARTIFACT_LEVEL = 3  # zstd: 37 MB to 11 MB in a third of a second, and 32 ms to unpack
_CHUNK = 1 << 20


class Depository:
    """The publisher's side of the blob store."""

    def __init__(self, registry: Registry) -> None:
        self._blobs = registry.blobs
        self._key = registry.platform_key
        self._registry = registry

    @property
    def _keys(self) -> tuple[PublicKey, ...]:
        return self._registry.platform_keys

    def put_artifact(self, component_digest: str, compiled: Compiled) -> None:
        """The native code of a component, and the platform's word for it."""
        key = artifact_key(compiled.fingerprint, component_digest)
        statement_key = artifact_statement_key(compiled.fingerprint, component_digest)

        def holds(envelope: bytes) -> bool:
            stored = verify_artifact(
                envelope, component_digest=component_digest, fingerprint=compiled.fingerprint, keys=self._keys
            )
            return self._holds_code(key, stored)

        if not self._has(statement_key, holds):
            artifact = Artifact(
                component_digest=component_digest,
                fingerprint=compiled.fingerprint,
                digest=digest_of(compiled.cwasm),
                size=len(compiled.cwasm),
            )
            packed = zstandard.ZstdCompressor(level=ARTIFACT_LEVEL, write_checksum=True).compress(compiled.cwasm)
            self._put_in_place_of_unusable(key, packed)
            self._put_in_place_of_unusable(statement_key, sign_artifact(artifact, self._key))

    def put_bundle(self, verified: Verified, interfaces: tuple[str, ...], handler: Kind) -> None:
        """The bundle, its parts, and the platform's index of it.

        Raises:
            Rejected: the same bytes were deposited with another signature, and not published.
        """
        bundle, manifest, content_hash = verified.bundle, verified.bundle.manifest, verified.bundle.content_hash
        blobs = {
            bundle_key(content_hash): verified.data,
            manifest_key(content_hash): strict_json.dumps(manifest.to_json()),
            component_key(content_hash): bundle.component,
            signature_key(content_hash): verified.envelope,
        }
        for key, data in blobs.items():
            self._put(key, data)
        for path, data in bundle.ui.items():
            self._put_asset(manifest.name, content_hash.removeprefix(PREFIX), path, data)
        index = BundleIndex(
            content_hash=content_hash,
            extension_id=manifest.name,
            version=manifest.version,
            publisher=manifest.publisher,
            signer_key_id=verified.signature.key_id,
            component_digest=bundle.component_digest,
            interfaces=interfaces,
            handler=handler,
            capabilities=tuple(sorted(manifest.asked)),
        )

        def holds(envelope: bytes) -> bool:
            return verify_index(envelope, content_hash=content_hash, keys=self._keys) == index

        if not self._has(index_key(content_hash), holds):
            self._put_in_place_of_unusable(index_key(content_hash), sign_index(index, self._key))

    def _put_asset(self, extension_id: str, hexdigest: str, path: str, data: bytes) -> None:
        """A file of the UI, as it is and as browsers take it.

        Another release of an encoder may give other bytes for the same file; those that were there first stay.
        """
        self._put(ui_blob_key(extension_id, hexdigest, path), data)
        for encoding, encoded in encodings_of(path, data):
            with suppress(BlobMismatch):
                self._blobs.put_new(ui_blob_key(extension_id, hexdigest, path, encoding), encoded)

    def is_whole(self, content_hash: str, component_digest: str, fingerprint: str) -> bool:
        """Whether the platform's word for a bundle and its native code is there: written last, deleted first."""
        statements = index_key(content_hash), artifact_statement_key(fingerprint, component_digest)
        return all(self._blobs.info(key) is not None for key in statements)

    def replace_statement(self, key: str, envelope: bytes) -> None:
        """Put the platform's word in place of the same word of its former key."""
        self._put_in_place_of_unusable(key, envelope)

    def _put(self, key: str, data: bytes) -> None:
        try:
            self._blobs.put_new(key, data)
        except BlobMismatch:
            message = "these very bytes came before with another signature and were not published; raise the version"
            raise Rejected((("conflict", "signature", message),)) from None

    def _has(self, key: str, holds: Callable[[bytes], bool]) -> bool:
        """Whether the platform's word under `key` is there and holds."""
        try:
            return holds(self._blobs.get(key))
        except OrielError as error:
            if error.status >= 500:
                raise
            return False

    def _put_in_place_of_unusable(self, key: str, data: bytes) -> None:
        """Store; what is under the key, if anything, was judged to be of no use to anybody."""
        try:
            self._blobs.put_new(key, data)
        except BlobMismatch:
            self._blobs.delete(key)
            self._blobs.put_new(key, data)

    def _holds_code(self, key: str, artifact: Artifact) -> bool:
        try:
            with self._blobs.open(key) as stream:
                return _unpacked_digest(stream, artifact.size) == artifact.digest
        except zstandard.ZstdError:
            return False


def _unpacked_digest(stream: BinaryIO, size: int) -> str | None:
    """Of at most `size` bytes; None where there are more."""
    code, total = CodeHash(), 0
    with zstandard.ZstdDecompressor().stream_reader(stream) as unpacked:
        while chunk := unpacked.read(_CHUNK):
            total += len(chunk)
            if total > size:
                return None
            code.update(chunk)
    return code.digest()

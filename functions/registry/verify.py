"""Is a staged bundle what it says, and by whom it says?

Every reason for a refusal is found before it is refused: an author mends them all at once. The component is not
looked at here; that is done in the compiler's process.
"""

from collections.abc import Iterator

from msgspec import Struct

from oriel.blobs import BlobMissing
from oriel.bundle import Bundle, content_hash, unpack
from oriel.errors import InvalidInput, OrielError
from oriel.manifest import Manifest
from oriel.names import owns
from oriel.signing import MAX_ENVELOPE_BYTES, VerifiedSignature
from oriel.store.records import Upload
from registry.core import Registry
from registry.signatures import Signatures
from registry.uploads import staged_bundle, staged_signature

Reason = tuple[str, str, str]
"""A code of the catalogue, the place, and what is wrong there."""


class Rejected(Exception):
    """The bundle will never be published as it is."""

    def __init__(self, reasons: tuple[Reason, ...]) -> None:
        super().__init__(f"{len(reasons)} reasons")
        self.reasons = reasons


class Verified(Struct, frozen=True):
    """A bundle that may be published, with the envelope that says so."""

    bundle: Bundle
    data: bytes
    envelope: bytes
    signature: VerifiedSignature


class Verifier:
    """Judges bundles that were sent."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._blobs = registry.blobs
        self._signatures = Signatures(registry)

    def verify(self, upload: Upload) -> Verified:
        """The staged bundle of a session, unpacked and verified.

        Raises:
            Rejected: with every reason.
        """
        try:
            data, envelope = self._staged(upload)
            if content_hash(data) != upload.content_hash:
                raise OrielError("hash_mismatch", f"The staged bytes are not {upload.content_hash}.")
            bundle = unpack(data)
        except OrielError as error:
            if error.status >= 500:
                raise
            raise Rejected(tuple(reasons(error))) from None
        found = list(self._findings(bundle.manifest, upload.content_hash))
        signature: VerifiedSignature | None = None
        try:
            signature = self._signatures.verify(bundle.manifest, upload.content_hash, envelope)
        except OrielError as error:
            if error.status >= 500:
                raise
            found += reasons(error)
        if found or signature is None:
            raise Rejected(tuple(found))
        return Verified(bundle, data, envelope, signature)

    def _staged(self, upload: Upload) -> tuple[bytes, bytes]:
        try:
            stored = self._blobs.info(staged_bundle(upload.upload_id))
            if stored is not None and stored.size > self._registry.limits.bundle_bytes:
                raise OrielError("bundle_too_large", f"The bundle has {stored.size:,} bytes.")
            with self._blobs.open(staged_signature(upload.upload_id)) as stream:
                envelope = stream.read(MAX_ENVELOPE_BYTES + 1)
            return self._blobs.get(staged_bundle(upload.upload_id)), envelope
        except BlobMissing:
            raise OrielError("hash_mismatch", "The staged bytes are gone.") from None

    def _findings(self, manifest: Manifest, content_hash: str) -> Iterator[Reason]:
        publisher = self._store.get_publisher(manifest.publisher)
        if publisher is None:
            yield "forbidden", "publisher", f"{manifest.publisher} is not registered here"
        elif publisher.revoked_at is not None:
            yield "forbidden", "publisher", f"{manifest.publisher} was revoked"
        elif not any(owns(prefix, manifest.name) for prefix in publisher.prefixes):
            yield "forbidden", "name", f"{manifest.publisher} owns {', '.join(publisher.prefixes)}, not {manifest.name}"
        extension = self._store.get_extension(manifest.name)
        if extension is not None and extension.publisher != manifest.publisher:
            yield "forbidden", "name", f"{manifest.name} belongs to another publisher"
        version = self._store.get_version(manifest.name, manifest.version)
        if version is not None and version.content_hash != content_hash:
            yield "version_exists", "version", f"{manifest.name} {manifest.version} is published with other bytes"


def reasons(error: OrielError) -> Iterator[Reason]:
    """An error as reasons: each of its findings, or itself."""
    if isinstance(error, InvalidInput):
        yield from ((error.code, finding.at, finding.message) for finding in error.findings)
    else:
        yield error.code, "", error.detail

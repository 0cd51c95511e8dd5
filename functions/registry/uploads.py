"""Upload sessions: from the announcement of some bytes to the moment the publisher takes over.

Rules kept here:

- A session belongs to the principal that opened it; for others it is not there.
- The same principal and the same bytes find the same session again, unless it was rejected: the command that a
  crash interrupted goes on where it stopped.
- Bytes go to staging and nowhere else. What is not the announced bytes is not kept.
- Where the blob store has addresses of its own for that, they take the announced bytes and no others.
- `finalize` records and returns. Repeating it changes nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

from msgspec.structs import replace

from oriel.blobs import Presigned
from oriel.errors import OrielError
from oriel.ids import new_id
from oriel.signing import MAX_ENVELOPE_BYTES, claims
from oriel.store import Conflict
from oriel.store.records import TERMINAL_STATES, Upload
from registry.core import Registry

ABANDONED_MS = 24 * 3600 * 1000
PRESIGNED_SECONDS = 900


class Hash(Protocol):
    """The part of a `hashlib` object that is needed here."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


def staged_bundle(upload_id: str) -> str:
    return f"staging/{upload_id}"


def staged_signature(upload_id: str) -> str:
    return f"staging/{upload_id}.dsse.json"


class Uploads:
    """The sessions of all principals."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._blobs = registry.blobs

    def open(self, principal: str, content_hash: str, size: int) -> tuple[Upload, bool]:
        """The session for these bytes, and whether it is new.

        Raises:
            OrielError: `bundle_too_large`.
        """
        limit = self._registry.limits.bundle_bytes
        if size > limit:
            raise OrielError("bundle_too_large", f"The bundle has {size:,} bytes; the limit is {limit:,}.")
        known = self._store.find_upload(principal, content_hash)
        if known is not None and known.state != "rejected" and known.size == size:
            return known, False
        now = self._registry.now()
        upload = Upload(
            upload_id=new_id("upl"),
            principal=principal,
            content_hash=content_hash,
            size=size,
            state="open",
            created_at=now,
            updated_at=now,
        )
        self._store.create_upload(upload)
        return upload, True

    def get(self, principal: str, upload_id: str) -> Upload:
        """The principal's own session; `OrielError` `not_found`."""
        upload = self._store.get_upload(upload_id)
        if upload is None or upload.principal != principal:
            raise OrielError("not_found", f"There is no upload {upload_id}.")
        return upload

    def address(self, upload: Upload) -> Presigned | None:
        """Where the blob store itself takes the bytes of an open session; None where they go to `receive`."""
        if upload.state != "open":
            return None
        return self._blobs.presign_put(
            staged_bundle(upload.upload_id), upload.size, upload.content_hash, PRESIGNED_SECONDS
        )

    def receive(self, principal: str, upload_id: str, chunks: Iterable[bytes]) -> Upload:
        """Take the bytes of an open session; again, they replace those that came before.

        Raises:
            OrielError: `conflict` where the session is past that; `body_too_large` and `hash_mismatch` where
                they are not the announced bytes.
        """
        upload = self.get(principal, upload_id)
        if upload.state != "open":
            raise OrielError("conflict", f"The upload {upload_id} is '{upload.state}' and takes no more bytes.")
        digest = hashlib.sha256()
        key = staged_bundle(upload_id)
        stored = self._blobs.put_stream(key, _hashed(chunks, digest), limit=upload.size)
        received = f"sha256:{digest.hexdigest()}"
        if received != upload.content_hash:
            self._blobs.delete(key)
            raise OrielError(
                "hash_mismatch",
                f"{stored.size:,} bytes came with the hash {received}; "
                f"announced were {upload.size:,} with {upload.content_hash}.",
            )
        return upload

    def finalize(self, principal: str, upload_id: str, envelope: Mapping[str, Any] | None) -> Upload:
        """Hand the session over to the publisher, with the bundle's DSSE envelope.

        Raises:
            OrielError: `signature_missing`; `signature_invalid` where the envelope is too large; `conflict` where
                the bytes have not come; `version_exists` where they are signed as a version that has others.
        """
        upload = self.get(principal, upload_id)
        if upload.state != "open":
            return upload
        if not envelope:
            raise OrielError("signature_missing", "The request has no 'signature': the bundle's DSSE envelope.")
        signature = json.dumps(envelope).encode()
        if len(signature) > MAX_ENVELOPE_BYTES:
            raise OrielError("signature_invalid", f"The envelope has more than {MAX_ENVELOPE_BYTES:,} bytes.")
        if self._blobs.info(staged_bundle(upload_id)) is None:
            raise OrielError(
                "conflict", "The bundle's bytes have not come.", hint="PUT them to the session's upload_url first."
            )
        self._refuse_other_bytes(upload, signature)
        self._blobs.put_stream(staged_signature(upload_id), [signature], limit=MAX_ENVELOPE_BYTES)
        changed = replace(upload, state="uploaded", updated_at=self._registry.now(), revision=upload.revision + 1)
        try:
            self._store.replace_upload(changed)
        except Conflict:  # another request finalized it meanwhile
            return self.get(principal, upload_id)
        return changed

    def _refuse_other_bytes(self, upload: Upload, signature: bytes) -> None:
        """Tell now what the publisher, which verifies the claims, would tell after its work."""
        try:
            claimed = claims(signature)
        except OrielError:
            return
        name, number = str(claimed.get("name")), str(claimed.get("version"))
        version = self._store.get_version(name, number)
        if version is not None and version.content_hash != upload.content_hash:
            raise OrielError("version_exists", f"{name} {number} is published with other bytes.")

    def sweep_staging(self) -> int:
        """Delete staged bytes that no session needs any more; how many blobs."""
        oldest = self._registry.now() - ABANDONED_MS
        swept = 0
        for blob in list(self._blobs.list("staging/")):
            upload = self._store.get_upload(blob.key.removeprefix("staging/").removesuffix(".dsse.json"))
            done = upload is None or upload.state in TERMINAL_STATES
            if done or (upload is not None and upload.state == "open" and blob.modified_at < oldest):
                self._blobs.delete(blob.key)
                swept += 1
        return swept

    def forget_staged(self, upload_id: str) -> None:
        """Delete a finished session's bytes; what cannot be deleted now is swept later."""
        with suppress(OrielError):
            self._blobs.delete(staged_bundle(upload_id))
            self._blobs.delete(staged_signature(upload_id))


def _hashed(chunks: Iterable[bytes], digest: Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk

"""Bundles, artifacts and UI assets: bytes under immutable keys.

    bundles/sha256/<hex>/{bundle.tar.zst, manifest.json, signature.dsse.json, component.wasm, index.dsse.json}
    artifacts/<engine fingerprint>/sha256/<component hex>.cwasm.zst   (+ .dsse.json)
    ext-ui/<extension_id>/<hex>/…
    audit/<chain>/<number>.dsse.json                                  checkpoints of the audit
    staging/<upload id>

Rules every backend keeps:

- All but `staging/` is written once: `put_new` never overwrites. The same key with the same bytes is no error.
- A key is visible only when all its bytes are there.
- A key is relative, of `/`-separated segments, none of them empty, `.` or `..`; another raises `ValueError`
  (`check_key` has the whole rule).
- A backend that cannot answer raises `BlobsUnavailable`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from msgspec import Struct

from oriel.errors import OrielError

STAGING = "staging/"


class BlobMissing(OrielError):
    """There is no blob under the key."""

    def __init__(self, key: str) -> None:
        super().__init__("not_found", f"There is no blob {key}.")
        self.key = key


class BlobMismatch(OrielError):
    """The key is taken by other bytes."""

    def __init__(self, key: str) -> None:
        super().__init__("conflict", f"Other bytes are stored as {key}.")
        self.key = key


class BlobTooLarge(OrielError):
    """More bytes came than were allowed; nothing was stored."""

    def __init__(self, key: str, limit: int) -> None:
        super().__init__("body_too_large", f"More than {limit:,} bytes were sent for {key}.")


class BlobsUnavailable(OrielError):
    """The backend did not answer, or cannot write."""

    def __init__(self, detail: str = "The blob store did not answer.") -> None:
        super().__init__("unavailable", detail, retry_after=1)


class BlobInfo(Struct, frozen=True):
    """Size in bytes and modification time in Unix milliseconds."""

    key: str
    size: int
    modified_at: int


class Presigned(Struct, frozen=True):
    """Where to PUT a blob without further credentials, the headers that belong to it, and until when (Unix ms)."""

    url: str
    headers: Mapping[str, str]
    expires_at: int


MAX_KEY_BYTES = 1024
MAX_SEGMENT_BYTES = 255


def check_key(key: str) -> tuple[str, ...]:
    """The segments of a key that every backend can keep.

    Beside the rule above: at most 1,024 bytes of UTF-8 (S3's limit) and 255 a segment (a file name's), no control
    character and no backslash, and no dot at the start of the first segment: those names are the backend's own.

    Raises:
        ValueError: with the rule that is broken.
    """
    segments = tuple(key.split("/"))
    if any(segment in {"", ".", ".."} for segment in segments) or key.startswith("."):
        raise ValueError(f"not a blob key: {key!r} has an empty or a dot segment")
    if any(ord(letter) < 0x20 or letter in "\\\x7f" for letter in key):
        raise ValueError(f"not a blob key: {key!r} has a control character or a backslash")
    if len(key.encode()) > MAX_KEY_BYTES or any(len(segment.encode()) > MAX_SEGMENT_BYTES for segment in segments):
        raise ValueError(f"not a blob key: {key[:64]!r}… is too long")
    return segments


class BlobSource(Protocol):
    """The part of a store of blobs that the runner has."""

    def get(self, key: str) -> bytes:
        """All bytes; `BlobMissing`."""
        ...

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """A readable stream; `BlobMissing`."""
        ...


class Blobs(BlobSource, Protocol):
    """A store of blobs."""

    def put_new(self, key: str, data: bytes) -> None:
        """Store `data` under a key that has none. `BlobMismatch` where other bytes are there."""
        ...

    def put_stream(self, key: str, chunks: Iterable[bytes], *, limit: int) -> BlobInfo:
        """Store a stream of at most `limit` bytes under a `staging/` key, replacing what was there."""
        ...

    def info(self, key: str) -> BlobInfo | None: ...

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """All keys that start with `prefix`, ordered."""
        ...

    def delete(self, key: str) -> None:
        """Idempotent."""
        ...

    def presign_put(self, key: str, size: int, content_hash: str, expires: int) -> Presigned | None:
        """An address that takes these bytes and no others under a `staging/` key, for `expires` seconds.

        None where the backend has no such addresses: the bytes then go through `put_stream`.
        """
        ...

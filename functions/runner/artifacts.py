"""Compiled components on this machine's disk: verified, unpacked once, bounded.

    <cache>/<fingerprint>/<component hex>.cwasm     native code, ready to be mapped
    <cache>/locks/<0..f>                            one process at a time fetches a component

Rules kept here:

- Native code is mapped only if the platform signed it: the index of the bundle and the artifact's statement are
  verified with the platform's keys, and the unpacked bytes have the digest of the statement.
- A file appears under its name when it is whole, by a rename; what a crash leaves is never used and swept later.
- On its first use in a process a file is hashed again, whoever wrote it.
- The directory is this user's alone (0700). The least recently used files go when it grows over its bound.
- Nothing is compiled here: where the platform has no artifact for this engine, it is `artifact_unavailable`.
"""

import fcntl
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

import zstandard

from oriel.blobs.base import BlobMissing, BlobSource
from oriel.errors import OrielError
from oriel.native_code import CodeHash, digest_of_file
from oriel.provenance import (
    Artifact,
    BundleIndex,
    artifact_key,
    artifact_statement_key,
    index_key,
    verify_artifact,
    verify_index,
)
from oriel.signing import PublicKey

_log = logging.getLogger(__name__)

SUFFIX = ".cwasm"
PART = ".part-"
CHUNK = 1 << 20
MAX_WINDOW = 1 << 27  # 128 MiB: what the platform's own packing may use, and no more
PART_LIFETIME = 3_600.0  # seconds
KEEP_INDEXES = 10_000
DIGEST_PREFIX = "sha256:"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Artifacts:
    """The artifacts of one engine. Safe to share between threads, and the directory between processes.

    Args:
        keys: the platform's public keys.
        fingerprint: of this process's engine; artifacts of another one do not fit.
        max_bytes: how large the directory may grow; the file asked for last stays, whatever its size.
    """

    def __init__(
        self, blobs: BlobSource, keys: Sequence[PublicKey], cache_dir: Path, *, fingerprint: str, max_bytes: int
    ) -> None:
        self._blobs = blobs
        self._keys = keys
        self._root = cache_dir
        self._folder = cache_dir / fingerprint
        self._locks = cache_dir / "locks"
        self._fingerprint = fingerprint
        self._max_bytes = max_bytes
        self._mutex = threading.Lock()
        self._indexes: OrderedDict[str, BundleIndex] = OrderedDict()
        self._checked: dict[Path, int] = {}  # the inode that was hashed
        _make_private(cache_dir)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._locks.mkdir(mode=0o700, exist_ok=True)

    def index(self, content_hash: str) -> BundleIndex:
        """The verified index of a bundle.

        Raises:
            OrielError: `artifact_unavailable` where the bundle is not there or its index is not the platform's.
        """
        with self._mutex:
            if (known := self._indexes.get(content_hash)) is not None:
                self._indexes.move_to_end(content_hash)
                return known
        envelope = self._get(index_key(content_hash), f"There is no verified bundle {content_hash}.")
        with _from_the_platform(f"the index of {content_hash}"):
            index = verify_index(envelope, content_hash=content_hash, keys=self._keys)
        with self._mutex:
            self._indexes[content_hash] = index
            while len(self._indexes) > KEEP_INDEXES:
                self._indexes.popitem(last=False)
        return index

    def path_for(self, content_hash: str) -> tuple[Path, BundleIndex]:
        """The file to map for a bundle's component, and the bundle's index. May fetch, unpack and hash.

        Raises:
            OrielError: as `index`; `artifact_unavailable` also where no artifact fits this engine, or what is
                stored is not what was signed.
        """
        index = self.index(content_hash)
        path = self._folder / f"{index.component_digest.removeprefix(DIGEST_PREFIX)}{SUFFIX}"
        if _inode(path) is None or _inode(path) != self._checked.get(path):
            with self._exclusive(path):
                self._provide(path, index.component_digest)
        _touch(path)
        return path, index

    def _provide(self, path: Path, component_digest: str) -> None:
        artifact = self._statement(component_digest)
        if not (path.exists() and digest_of_file(path) == artifact.digest):
            self._fetch(path, artifact)
            self._evict(keep=path)
        inode = _inode(path)
        if inode is not None:
            self._checked[path] = inode

    def _statement(self, component_digest: str) -> Artifact:
        missing = "The component is not compiled for this engine yet."
        envelope = self._get(artifact_statement_key(self._fingerprint, component_digest), missing)
        with _from_the_platform(f"the artifact of {component_digest}"):
            return verify_artifact(
                envelope, component_digest=component_digest, fingerprint=self._fingerprint, keys=self._keys
            )

    def _fetch(self, path: Path, artifact: Artifact) -> None:
        """Unpack the artifact beside `path`, and rename it there if it is the one that was signed."""
        part = self._folder / f"{PART}{token_hex(8)}"
        try:
            with os.fdopen(os.open(part, _NEW_FILE, 0o600), "wb") as target:
                digest = self._unpack(artifact, target)
            if digest != artifact.digest:
                raise _unusable("has another digest than the one signed")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _unpack(self, artifact: Artifact, target: BinaryIO) -> str:
        """Write at most `artifact.size` bytes; the digest of what was written."""
        code, left = CodeHash(), artifact.size
        chunk = memoryview(bytearray(CHUNK))  # one for all: a new one each time is 256 page faults
        unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        try:
            with self._blobs.open(artifact_key(self._fingerprint, artifact.component_digest)) as packed:
                unpacked = unpacker.stream_reader(packed)
                while length := unpacked.readinto(chunk):
                    left -= length
                    if left < 0:
                        raise _unusable("is larger than the one signed")
                    code.update(chunk[:length])
                    target.write(chunk[:length])
        except BlobMissing:
            raise OrielError("artifact_unavailable", retry_after=1) from None
        except zstandard.ZstdError:
            raise _unusable("cannot be unpacked") from None
        return code.digest()

    def _get(self, key: str, missing: str) -> bytes:
        try:
            return self._blobs.get(key)
        except BlobMissing:
            raise OrielError("artifact_unavailable", missing, retry_after=1) from None

    @contextmanager
    def _exclusive(self, path: Path) -> Iterator[None]:
        """One thread of one process at a time, for this component and the sixteenth part of the others."""
        with (self._locks / path.name[0]).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed, also by a crash
            yield

    def _evict(self, keep: Path) -> None:
        """Delete least recently used files, of this and of former engines, until the bound holds."""
        entries = sorted(_entries(self._root), key=lambda entry: entry[0])
        total = sum(size for _, size, _ in entries)
        for used_at, size, path in entries:
            abandoned = path.name.startswith(PART) and time.time() - used_at > PART_LIFETIME
            if abandoned or (total > self._max_bytes and path != keep and path.suffix == SUFFIX):
                path.unlink(missing_ok=True)
                total -= size


@contextmanager
def _from_the_platform(what: str) -> Iterator[None]:
    """A signature that does not hold is the operator's to look into, and to the caller a part that is away."""
    try:
        yield
    except OrielError as error:
        _log.exception("a signature does not hold: %s", what, extra={"code": error.code})
        raise OrielError("artifact_unavailable", "What is stored was not signed by the platform.") from None


def _entries(root: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of the last use, size in bytes and path of every file of every engine."""
    for path in root.glob("*/*"):
        with suppress(FileNotFoundError):  # another process evicts too
            if path.suffix == SUFFIX or path.name.startswith(PART):
                stat = path.stat()
                yield stat.st_mtime, stat.st_size, path


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stat = folder.lstat()
    if folder.is_symlink() or stat.st_uid != os.geteuid() or stat.st_mode & 0o077:
        hint = f"chmod 700 {folder}, or name another directory."
        raise OrielError("unavailable", f"{folder} must be a directory of this user alone.", hint=hint)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _touch(path: Path) -> None:
    with suppress(FileNotFoundError):
        os.utime(path)


def _unusable(why: str) -> OrielError:
    return OrielError("artifact_unavailable", f"The stored artifact {why}.", hint="Publish the version again.")

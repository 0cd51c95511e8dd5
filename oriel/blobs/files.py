"""Blobs as files under one folder.

Rules kept here, beside those of `oriel.blobs.base`:

- Bytes are written to `.incoming/`, synced, and then linked to their name: a link never overwrites, and a name is
  there with all its bytes or not at all, also after a crash or a power cut.
- Every step of a path is opened below the one before and never through a symbolic link.
- Folders are the user's own (0700), files read-only once they have their name.
"""

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from oriel.blobs.base import (
    STAGING,
    BlobInfo,
    BlobMismatch,
    BlobMissing,
    BlobsUnavailable,
    BlobTooLarge,
    check_key,
)

INCOMING = ".incoming"
ABANDONED_SECONDS = 24 * 3600
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_THERE = (FileNotFoundError, NotADirectoryError)


class FileBlobs:
    """The blobs under `root`, which is made where it is not there. Safe for several threads and processes.

    Raises:
        BlobsUnavailable: the folder cannot be made or opened.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        with _available():
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            (root / INCOMING).mkdir(mode=0o700, exist_ok=True)
            self._sweep_incoming()

    def put_new(self, key: str, data: bytes) -> None:
        *folders, name = check_key(key)
        with self._written([data], len(data), key) as (incoming, temporary), self._folder(folders, make=True) as folder:
            try:
                os.link(temporary, name, src_dir_fd=incoming, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError:
                self._require_same(key, data)
            os.fsync(folder)

    def put_stream(self, key: str, chunks: Iterable[bytes], *, limit: int) -> BlobInfo:
        *folders, name = check_key(key)
        if not key.startswith(STAGING):
            raise ValueError(f"only keys under {STAGING} are replaced, not {key!r}")
        with self._written(chunks, limit, key) as (incoming, temporary), self._folder(folders, make=True) as folder:
            os.rename(temporary, name, src_dir_fd=incoming, dst_dir_fd=folder)
            os.fsync(folder)
            return _info(key, os.stat(name, dir_fd=folder, follow_symlinks=False))

    def get(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        *folders, name = check_key(key)
        with _available():
            try:
                with self._folder(folders) as folder:
                    descriptor = os.open(name, _READ, dir_fd=folder)
            except OSError as error:
                if isinstance(error, _NOT_THERE) or error.errno == errno.ELOOP:
                    raise BlobMissing(key) from None
                raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise BlobMissing(key)
        with os.fdopen(descriptor, "rb") as stream:
            yield stream

    def info(self, key: str) -> BlobInfo | None:
        *folders, name = check_key(key)
        with _available():
            try:
                with self._folder(folders) as folder:
                    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except _NOT_THERE:
                return None
        return _info(key, status) if stat.S_ISREG(status.st_mode) else None

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        with _available():
            yield from sorted(self._below(self._root, "", prefix), key=lambda info: info.key.encode())

    def delete(self, key: str) -> None:
        *folders, name = check_key(key)
        with _available(), suppress(*_NOT_THERE), self._folder(folders) as folder:
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    def presign_put(self, key: str, size: int, content_hash: str, expires: int) -> None:
        """Files are reached through the platform alone."""

    def _below(self, folder: Path, key: str, prefix: str) -> Iterator[BlobInfo]:
        with suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                here = key + entry.name
                if not (here.startswith(prefix) or prefix.startswith(f"{here}/")) or here == INCOMING:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self._below(folder / entry.name, f"{here}/", prefix)
                elif entry.is_file(follow_symlinks=False) and here.startswith(prefix):
                    with suppress(FileNotFoundError):
                        yield _info(here, entry.stat(follow_symlinks=False))

    def _require_same(self, key: str, data: bytes) -> None:
        try:
            with self.open(key) as stored:
                same = os.fstat(stored.fileno()).st_size == len(data) and stored.read() == data
        except BlobMissing:
            same = False  # a folder, or a link: not these bytes
        if not same:
            raise BlobMismatch(key)

    @contextmanager
    def _folder(self, segments: Iterable[str], *, make: bool = False) -> Iterator[int]:
        """The folder of a key, each segment opened below the one before."""
        descriptor = os.open(self._root, _FOLDER & ~os.O_NOFOLLOW)  # the operator may link the root itself
        try:
            for segment in segments:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(segment, 0o700, dir_fd=descriptor)
                        os.fsync(descriptor)
                below = os.open(segment, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _written(self, chunks: Iterable[bytes], limit: int, key: str) -> Iterator[tuple[int, str]]:
        """The synced bytes under a temporary name: the folder's descriptor and the name. Removed at the end."""
        with _available(), self._folder([INCOMING]) as incoming:
            temporary = secrets.token_hex(16)
            descriptor = os.open(temporary, _NEW, 0o400, dir_fd=incoming)
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    _copy(chunks, stream, limit, key)
                    stream.flush()
                    os.fsync(descriptor)
                yield incoming, temporary
            finally:
                with suppress(FileNotFoundError):  # put_stream has moved it
                    os.unlink(temporary, dir_fd=incoming)

    def _sweep_incoming(self) -> None:
        """Remove what writers that were killed have left."""
        oldest = time.time() - ABANDONED_SECONDS
        for entry in os.scandir(self._root / INCOMING):
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < oldest:
                    Path(entry.path).unlink()


def _copy(chunks: Iterable[bytes], stream: BinaryIO, limit: int, key: str) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BlobTooLarge(key, limit)
        stream.write(chunk)


def _info(key: str, status: os.stat_result) -> BlobInfo:
    return BlobInfo(key, status.st_size, status.st_mtime_ns // 1_000_000)


@contextmanager
def _available() -> Iterator[None]:
    """What the file system refuses is `BlobsUnavailable`: a full disk, a lost mount, a folder of another user."""
    try:
        yield
    except OSError as error:
        raise BlobsUnavailable(f"The blob store failed: {error.strerror or type(error).__name__}.") from error

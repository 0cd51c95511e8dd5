"""The keyring: the platform's own keys on one machine, in one file.

Rules kept here:

- One JSON file of mode 0600. It is refused where group or others may read or write it, where it is a link or not a
  regular file, and where it belongs to another user.
- It appears whole or not at all, and only once: of two processes that create it together, one wins and both use its
  keys.
- Data keys are never dropped: rotation adds one and makes it current, so that old values still open. A process that
  meets a data key it does not know reads the file again; another one may have rotated.

Elsewhere a key service takes the file's place. What the rest uses of it is small: an Ed25519 private key for each
purpose, and `oriel.sealing.DataKeys`.
"""

import fcntl
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.ids import new_id
from oriel.messages import Message, place_and_problem
from oriel.sealing import DataKey
from oriel.signing import PublicKey

KEY_BYTES = 32
FILE_MODE = 0o600
MAX_FILE_BYTES = 1_000_000


_Key = Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]


class _DataKeyEntry(Message, frozen=True, kw_only=True):
    key_id: str
    key: _Key


class _File(Message, frozen=True, kw_only=True):
    """The file as it is written; `current` names the data key that seals."""

    format: Literal[1] = 1
    platform_key: _Key
    service_key: _Key
    issuer_key: _Key
    host_key: _Key = b""  # this and the next are missing in a file of an earlier release; `Keyring.open` adds them
    session_key: _Key = b""
    data_keys: tuple[_DataKeyEntry, ...]
    current: str

    def __post_init__(self) -> None:
        if self.current not in {entry.key_id for entry in self.data_keys}:
            raise ValueError("the current data key is not in the file")

    def __repr__(self) -> str:
        return f"_File(current={self.current!r})"  # no key in a traceback

    @classmethod
    def fresh(cls) -> Self:
        entry = _new_data_key()
        return cls(
            platform_key=_new_key(),
            service_key=_new_key(),
            issuer_key=_new_key(),
            host_key=_new_key(),
            session_key=_new_key(),
            data_keys=(entry,),
            current=entry.key_id,
        )

    def completed(self) -> Self:
        """With a key for each purpose."""
        missing = [name for name in ("host_key", "session_key") if not getattr(self, name)]
        return replace(self, **{name: _new_key() for name in missing}) if missing else self

    def rotated(self) -> Self:
        entry = _new_data_key()
        return replace(self, data_keys=(*self.data_keys, entry), current=entry.key_id)


def _new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def _new_data_key() -> _DataKeyEntry:
    return _DataKeyEntry(key_id=new_id("key"), key=_new_key())


class Keyring:
    """The keys of one file. Get one from `open`. Safe to share between threads."""

    def __init__(self, path: Path, content: _File) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._take(content)

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> Self:
        """Read the keyring; with `create`, make it first where there is none (the folder too, mode 0700).

        Raises:
            OrielError: `unavailable`, where the file is missing, not private to this user, or not a keyring.
        """
        if create and not os.path.lexists(path):
            _create(path, _File.fresh())
        content = _read(path)
        if content.completed() is not content:
            with _exclusive(path.parent):
                content = _replace(path, _read(path).completed())
        return cls(path, content)

    @property
    def platform_key(self) -> Ed25519PrivateKey:
        """Signs artifacts and the runner's indexes of bundles."""
        return Ed25519PrivateKey.from_private_bytes(self._content.platform_key)

    @property
    def platform_keys(self) -> tuple[PublicKey, ...]:
        """What artifacts and indexes are verified with."""
        return (PublicKey(self.platform_key.public_key()),)

    @property
    def gateway_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """What the gateway's tokens for the runner are verified with."""
        return (self.service_key.public_key(),)

    @property
    def service_key(self) -> Ed25519PrivateKey:
        """Signs the gateway's tokens for the runner."""
        return Ed25519PrivateKey.from_private_bytes(self._content.service_key)

    @property
    def issuer_key(self) -> Ed25519PrivateKey:
        """Signs user tokens of the local identity provider (`oriel serve`)."""
        return Ed25519PrivateKey.from_private_bytes(self._content.issuer_key)

    @property
    def host_key(self) -> Ed25519PrivateKey:
        """Signs the runner's calls to the host product; the one key that a runner signs with."""
        return Ed25519PrivateKey.from_private_bytes(self._content.host_key)

    @property
    def session_key(self) -> Ed25519PrivateKey:
        """Signs the gateway's session tokens for extensions' own backends."""
        return Ed25519PrivateKey.from_private_bytes(self._content.session_key)

    def current(self) -> DataKey:
        """The data key that new values are sealed with."""
        with self._lock:
            return self._data_keys[self._content.current]

    def by_id(self, key_id: str) -> DataKey | None:
        """The data key of that id; None where the file has none, even when read again.

        Raises:
            OrielError: `unavailable`, where the file had to be read again and could not be.
        """
        with self._lock:
            if key_id not in self._data_keys:
                self._take(_read(self._path))
            return self._data_keys.get(key_id)

    def rotate_data_key(self) -> str:
        """Add a data key, make it current, and return its id. Values already sealed stay readable.

        Raises:
            OrielError: `unavailable`, where the file cannot be read.
        """
        with self._lock, _exclusive(self._path.parent):
            content = _replace(self._path, _read(self._path).completed().rotated())
            self._take(content)
            return content.current

    def _take(self, content: _File) -> None:
        self._content = content
        self._data_keys = {entry.key_id: DataKey(entry.key_id, AESGCM(entry.key)) for entry in content.data_keys}


def _read(path: Path) -> _File:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise OrielError(
            "unavailable", f"There is no keyring at {path}.", hint="Name the right file, or let it be created."
        ) from None
    except OSError as error:
        raise OrielError("unavailable", f"The keyring {path} cannot be opened: {error.strerror}.") from None
    try:
        _require_private(path, os.fstat(descriptor))
        raw = os.read(descriptor, MAX_FILE_BYTES)
    finally:
        os.close(descriptor)
    try:
        return _File.from_json(raw)
    except msgspec.DecodeError as error:
        place = place_and_problem(error)[0] or "its form"  # and no more: what stands there may be a key
        raise OrielError(
            "unavailable", f"{path} is not a keyring: see {place}.", hint="Restore the file from its backup."
        ) from None


def _require_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OrielError("unavailable", f"The keyring {path} is not a regular file.")
    if status.st_uid != os.geteuid():
        raise OrielError("unavailable", f"The keyring {path} belongs to another user (uid {status.st_uid}).")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise OrielError(
            "unavailable",
            f"The keyring {path} is open to others: its mode is {mode:04o}, and must be 0600.",
            hint=f"If nobody has read it: chmod 600 {path}. If somebody may have, make new keys.",
        )


def _create(path: Path, content: _File) -> None:
    """Put the file in place unless one is there; the one that is there stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = _write_beside(path, content)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    finally:
        temporary.unlink()
        _sync_folder(path.parent)


def _replace(path: Path, content: _File) -> _File:
    """Put `content` in the file's place, whole. The caller holds the folder's lock."""
    temporary = _write_beside(path, content)
    temporary.replace(path)
    _sync_folder(path.parent)
    return content


def _write_beside(path: Path, content: _File) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(content.to_json(), indent=2) + b"\n")
        file.flush()
        os.fsync(descriptor)
    return temporary


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which every process that rotates takes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

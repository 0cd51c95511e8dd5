"""The identity provider's public keys (a JSON Web Key Set, RFC 7517): fetched, cached, rotated.

Rules kept here:

- Only public keys for signatures are taken (`oriel.identity.jwa` says which); others, and keys that cannot be read, are
  left out. So is the key that signs calls to host products
  (`oriel.identity.product`), which stands in Oriel's own set: it speaks for no user.
- Keys are fetched again after `max_age`, and at once for an unknown key id; never more often than `min_interval`, so
  that tokens with invented ids cost the provider nothing. One thread fetches, the others use the keys they have.
- While the provider is away the last good keys serve until they are `max_stale` old. After that: `unavailable`.
- A set is at most 256 KB and 64 keys, and has 5 seconds to arrive. Redirects are not followed.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from oriel.connections import Connections, NoAnswer
from oriel.errors import OrielError
from oriel.identity import jwa
from oriel.identity.product import PURPOSE as HOST_PURPOSE

MAX_SET_BYTES = 256_000
MAX_KEYS = 64
FETCH_SECONDS = 5.0
_CHUNK = 64 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_log = logging.getLogger(__name__)


class KeysUnreadable(Exception):
    """The key set could not be had, or is not one."""


class VerificationKey(Struct, frozen=True):
    """One public key and the algorithms it may be used with."""

    key_id: str | None
    algorithms: tuple[str, ...]
    key: jwa.PublicKey


def parse_key_set(raw: bytes) -> tuple[VerificationKey, ...]:
    """The usable keys of a set.

    Raises:
        KeysUnreadable: it is too large or not a key set, or has no usable key.
    """
    if len(raw) > MAX_SET_BYTES:
        raise KeysUnreadable(f"the key set has more than {MAX_SET_BYTES:,} bytes")
    try:
        entries = json.loads(raw)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KeysUnreadable("this is not a JSON Web Key Set") from None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise KeysUnreadable(f"'keys' is not a list of at most {MAX_KEYS} keys")
    keys = tuple(key for entry in entries if isinstance(entry, dict) and (key := _usable(entry)) is not None)
    if not keys:
        raise KeysUnreadable("the key set has no public key for EdDSA, ES256, RS256 or PS256")
    return keys


def _usable(entry: Mapping[str, Any]) -> VerificationKey | None:
    algorithms, key_id = jwa.algorithms_of(entry), entry.get("kid")
    if not algorithms or not isinstance(key_id, str | None) or (key_id or "").startswith(HOST_PURPOSE):
        return None
    try:
        return VerificationKey(key_id, algorithms, jwa.public_key(entry))
    except ValueError:
        return None


class KeySet:
    """The current keys behind one source. Safe to share between threads.

    Args:
        fetch: gives the set's bytes; raises `KeysUnreadable` or `OSError` where it cannot.
        max_age: seconds after which the keys are fetched again.
        max_stale: seconds for which the last good keys serve while fetching fails.
        min_interval: seconds between two fetches, whatever asks for them.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        *,
        max_age: float = 300.0,
        max_stale: float = 3_600.0,
        min_interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch, self._clock = fetch, clock
        self._max_age, self._max_stale, self._min_interval = max_age, max_stale, min_interval
        self._fetching = threading.Lock()
        self._keys: tuple[VerificationKey, ...] = ()
        self._fetched_at = self._tried_at = -float("inf")

    def find(self, key_id: str | None) -> VerificationKey | None:
        """The key of that id; without an id, the set's only key. None where there is no such key.

        Raises:
            OrielError: `unavailable`, where there are no keys, or only too old ones.
        """
        if self._clock() - self._fetched_at >= self._max_age:
            self._refresh()
        if self._clock() - self._fetched_at >= self._max_stale:
            raise OrielError("unavailable", "The identity provider's keys cannot be fetched.", retry_after=5)
        found = self._pick(key_id)
        if found is None and self._refresh():
            found = self._pick(key_id)
        return found

    def _pick(self, key_id: str | None) -> VerificationKey | None:
        keys = self._keys
        if key_id is None:
            return keys[0] if len(keys) == 1 else None
        return next((key for key in keys if key.key_id == key_id), None)

    def _refresh(self) -> bool:
        """Whether the keys are newer than when the call came."""
        before = self._fetched_at
        # Only the first keys are worth waiting for; later on, old ones serve until the new ones are here.
        if not self._fetching.acquire(blocking=not self._keys):
            return False
        try:
            now = self._clock()
            if now - self._tried_at < self._min_interval:
                return self._fetched_at > before
            self._tried_at = now
            self._keys = parse_key_set(self._fetch())
            self._fetched_at = now
        except (KeysUnreadable, OSError) as error:
            _log.warning("the identity provider's keys were not refreshed", extra={"reason": str(error)})
            return False
        else:
            return True
        finally:
            self._fetching.release()


def open_keys(location: str) -> KeySet:
    """The key set at an `https:` URL (`http:` on loopback only), or in a file.

    Raises:
        ValueError: a URL of another kind.
    """
    if "://" not in location:
        return KeySet(lambda: _read_file(Path(location)))
    url = urlsplit(location)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise ValueError(f"keys are fetched over https, or over http from this machine; not from {location}")
    return KeySet(lambda: _read_url(location))


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_SET_BYTES + 1)


def _read_url(url: str) -> bytes:
    deadline, raw, parts = time.monotonic() + FETCH_SECONDS, bytearray(), urlsplit(url)
    connections = Connections(url, read_seconds=FETCH_SECONDS)
    headers = {"host": connections.host, "accept": "application/json", "accept-encoding": "identity"}
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        with connections.request("GET", target, headers) as answer:
            if answer.status != 200:
                raise KeysUnreadable(f"the key set's address answered {answer.status}")
            while chunk := answer.read1(_CHUNK):
                raw += chunk
                if len(raw) > MAX_SET_BYTES or time.monotonic() > deadline:
                    raise KeysUnreadable("the key set is too large or came too slowly")
    except NoAnswer as none:
        raise KeysUnreadable(f"the key set cannot be fetched: {none}") from None
    finally:
        connections.close()
    return bytes(raw)

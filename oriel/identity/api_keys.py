"""API keys: what machines send in place of a user's token, `Authorization: Bearer okey_…`.

    okey_<tenant, base64url>.<key id>.<32 random bytes, base64url>

Rules kept here:

- The store has the SHA-256 of the whole key and nothing more. The random part is too long to guess, so that a slow
  hash would add nothing; the compared hashes take the same time wherever they differ.
- The tenant is a part of the key and so of its hash: a key is looked up among its own tenant's, and speaks for no
  other.
- A key carries the permissions it was made with, never more than its maker had, and no roles. It may be bound to one
  extension; it always expires.
- What is known of a key is believed for `TTL_SECONDS`, so that revoking one takes hold within that time. Where the
  store does not answer, nothing is believed after that: `unavailable`.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from oriel.clock import now_ms
from oriel.errors import OrielError
from oriel.identity.principal import PERMISSIONS, Principal
from oriel.ids import new_id

if TYPE_CHECKING:
    from oriel.store.policy_records import ApiKey

PREFIX = "okey_"
TTL_SECONDS = 5.0
MAX_KNOWN = 4_096
SECRET_BYTES = 32
HINT = "Make a new one: oriel key create."

_FORM = re.compile(r"okey_([A-Za-z0-9_-]{0,172})\.(key_[0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


class NewKey(NamedTuple):
    """A key as it is shown once, and what is kept of it."""

    token: str
    key_id: str
    secret_hash: str


class ApiKeySource(Protocol):
    """The part of `oriel.store.Store` that authentication reads."""

    def get_api_key(self, tenant_id: str | None, key_id: str) -> "ApiKey | None": ...


def new_key(tenant_id: str | None) -> NewKey:
    """A fresh key of a tenant, or of none."""
    key_id = new_id("key")
    token = f"{PREFIX}{_encoded((tenant_id or '').encode())}.{key_id}.{_encoded(secrets.token_bytes(SECRET_BYTES))}"
    return NewKey(token, key_id, secret_hash(token))


def secret_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class ApiKeys:
    """Keys as the store knows them, kept for seconds. Safe to share between threads.

    Args:
        ttl: seconds for which an answer of the store is believed.
        clock: monotonic seconds. now: Unix milliseconds.
    """

    def __init__(
        self,
        source: ApiKeySource,
        *,
        ttl: float = TTL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = now_ms,
    ) -> None:
        self._source, self._ttl, self._clock, self._now = source, ttl, clock, now
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str | None, str], tuple[float, ApiKey | None]] = OrderedDict()

    def principal(self, token: str) -> Principal:
        """Whom the key speaks for.

        Raises:
            OrielError: `unauthenticated`; `unavailable`, where the store does not answer.
        """
        tenant_id, key_id = _read(token)
        key = self._find(tenant_id, key_id)
        if key is None or not hmac.compare_digest(key.secret_hash, secret_hash(token)):
            raise _refused("there is no such key")
        if key.revoked_at is not None:
            raise _refused("it was revoked")
        if self._now() >= key.expires_at:
            raise _refused("its time is over")
        return Principal(
            subject=key.key_id,
            tenant_id=tenant_id,
            name=key.name,
            granted=frozenset(name for name in key.permissions if name in PERMISSIONS),
            extension_id=key.extension_id,
        )

    def _find(self, tenant_id: str | None, key_id: str) -> "ApiKey | None":
        place, now = (tenant_id, key_id), self._clock()
        with self._lock:
            read_at, key = self._known.get(place, (-float("inf"), None))
        if now - read_at < self._ttl:
            return key
        found = self._source.get_api_key(tenant_id, key_id)
        with self._lock:
            self._known[place] = (now, found)
            self._known.move_to_end(place)
            while len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        return found


def _read(token: str) -> tuple[str | None, str]:
    """The tenant and the id that a key names."""
    parts = _FORM.fullmatch(token)
    if parts is None:
        raise _refused("it is not of the form that keys have")
    try:
        raw = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        tenant_id = raw.decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _refused("it is not of the form that keys have") from None
    if _encoded(raw) != parts[1]:
        raise _refused("it is not of the form that keys have")
    return tenant_id or None, parts[2]


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _refused(reason: str) -> OrielError:
    return OrielError("unauthenticated", f"The API key is refused: {reason}.", hint=HINT)

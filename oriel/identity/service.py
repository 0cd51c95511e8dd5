"""Service tokens: how the runner knows that a request comes from the gateway, whole and for the first time.

A JSON Web Token signed with Ed25519, good for one request:

    iss "oriel-gateway"   aud "oriel-runner"   iat, exp (at most 30 seconds apart)   jti
    body_sha256           the hex digest of the very bytes of the request's body
    tenant, install, extension, content_hash, execution      whom the execution is for

Rules kept here:

- The runner believes the token. A body that says otherwise about any of these ids is refused, not corrected.
- A token is taken once. Its `jti` is remembered for as long as it could be valid; where that memory is full, calls
  are refused rather than repeats let in.
- Verification keys are a set, so that the gateway's key can be changed without a gap.
"""

import hashlib
import hmac
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from oriel.contract import ExecutionContext
from oriel.errors import OrielError
from oriel.identity import jws
from oriel.ids import new_id

ISSUER = "oriel-gateway"
AUDIENCE = "oriel-runner"
LIFETIME_SECONDS = 15
MAX_LIFETIME_SECONDS = 30
LEEWAY_SECONDS = 5
MAX_REMEMBERED = 200_000
PrivateKey: TypeAlias = Ed25519PrivateKey | Callable[[], Ed25519PrivateKey]


class ServiceClaims(Struct, frozen=True, kw_only=True):
    """What a valid service token says. `expires_at` in Unix seconds."""

    tenant_id: str
    install_id: str
    extension_id: str
    content_hash: str
    execution_id: str
    body_sha256: str
    token_id: str
    expires_at: int

    def require_same(self, context: ExecutionContext) -> None:
        """Return where the body's context is the one that the token was made for.

        Raises:
            OrielError: `untrusted_caller`, naming the first field that differs.
        """
        for name in ("tenant_id", "install_id", "extension_id", "content_hash", "execution_id"):
            if getattr(self, name) != getattr(context, name):
                raise OrielError("untrusted_caller", f"The body's '{name}' is not the service token's.")


class ServiceTokenSigner:
    """The gateway's side.

    Args:
        key: or what gives it when it is needed.
    """

    def __init__(self, key: PrivateKey, *, lifetime: int = LIFETIME_SECONDS) -> None:
        if not 0 < lifetime <= MAX_LIFETIME_SECONDS:
            raise ValueError(f"a service token lives 1 to {MAX_LIFETIME_SECONDS} seconds, not {lifetime}")
        self._key = key
        self._lifetime = lifetime

    def mint(self, body: bytes, context: ExecutionContext) -> str:
        """A token for one request with this very body."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + self._lifetime,
            "jti": new_id("svc"),
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "tenant": context.tenant_id,
            "install": context.install_id,
            "extension": context.extension_id,
            "content_hash": context.content_hash,
            "execution": context.execution_id,
        }
        return jws.sign(claims, self._key() if callable(self._key) else self._key)


class ServiceTokenVerifier:
    """The runner's side. Safe to share between threads.

    Args:
        keys: the gateway's public keys; one that fits is enough.
        clock: Unix seconds, for forgetting.
    """

    def __init__(
        self,
        keys: Sequence[Ed25519PublicKey],
        *,
        max_remembered: int = MAX_REMEMBERED,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = tuple(keys)
        self._used = _UsedOnce(max_remembered, clock)

    def believe(self, keys: Sequence[Ed25519PublicKey]) -> None:
        """Verify with these keys from now on; what was used stays used."""
        self._keys = tuple(keys)

    def verify(self, token: str, body: bytes) -> ServiceClaims:
        """The claims of a valid token that was made for `body` and has not been used.

        Raises:
            OrielError: `untrusted_caller`; `unavailable`, where no more tokens can be remembered.
        """
        raw = self._signed_claims(token)
        claims = _service_claims(raw)
        if not 0 < raw["exp"] - raw["iat"] <= MAX_LIFETIME_SECONDS:
            raise _refused(f"it lives longer than {MAX_LIFETIME_SECONDS} seconds")
        if not hmac.compare_digest(claims.body_sha256, hashlib.sha256(body).hexdigest()):
            raise _refused("it was made for another body")
        self._used.add(claims.token_id, claims.expires_at + LEEWAY_SECONDS)
        return claims

    def _signed_claims(self, token: str) -> dict[str, Any]:
        try:
            claims = jws.verify(token, self._keys)
        except jws.Malformed as error:
            raise _refused(str(error)) from None
        except InvalidSignature:
            raise _refused("no key of the gateway fits its signature") from None
        now = time.time()
        if (claims.get("iss"), claims.get("aud")) != (ISSUER, AUDIENCE):
            raise _refused("it is not the gateway's for the runner")
        if not _whole(claims, "iat") <= now + LEEWAY_SECONDS or claims.get("nbf", 0) > now + LEEWAY_SECONDS:
            raise _refused("it is not valid yet")
        if _whole(claims, "exp") <= now - LEEWAY_SECONDS:
            raise _refused("it has expired")
        return claims


class _UsedOnce:
    """Token ids until they expire. Tokens come about in the order in which they expire, so the oldest go first."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit, self._clock = limit, clock
        self._lock = threading.Lock()
        self._ids: set[str] = set()
        self._order: deque[tuple[float, str]] = deque()

    def add(self, token_id: str, until: float) -> None:
        now = self._clock()
        with self._lock:
            while self._order and self._order[0][0] < now:
                self._ids.discard(self._order.popleft()[1])
            if token_id in self._ids:
                raise _refused("it has been used before")
            if len(self._ids) >= self._limit:
                raise OrielError("unavailable", "Too many calls are in their tokens' lifetime.", retry_after=1)
            self._ids.add(token_id)
            self._order.append((until, token_id))


def _service_claims(claims: dict[str, Any]) -> ServiceClaims:
    return ServiceClaims(
        tenant_id=_named(claims, "tenant"),
        install_id=_named(claims, "install"),
        extension_id=_named(claims, "extension"),
        content_hash=_named(claims, "content_hash"),
        execution_id=_named(claims, "execution"),
        body_sha256=_named(claims, "body_sha256"),
        token_id=_named(claims, "jti"),
        expires_at=int(claims["exp"]),
    )


def _named(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise _refused(f"it has no '{name}'")
    return value


def _whole(claims: dict[str, Any], name: str) -> int:
    """A moment, in whole seconds."""
    moment = claims.get(name)
    if not isinstance(moment, int):
        raise _refused(f"its '{name}' is no whole number of seconds")
    return moment


def _refused(reason: str) -> OrielError:
    return OrielError("untrusted_caller", f"The service token is refused: {reason}.")

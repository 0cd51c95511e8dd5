"""Session tokens: how an extension's own backend knows for whom the extension's UI asks it.

A JSON Web Token signed with Ed25519, good for a minute at most:

    iss   the platform's address; the public keys are at `{iss}/api/ext-session/jwks.json`
    aud   the extension's id: a backend of another extension must refuse it
    sub   the user's id where the install has the grant `user.read`; else a pseudonym of the user in this install
    tenant, install, iat, exp, jti

Rules kept here:

- The token opens nothing of Oriel's: the gateway, the runner and the registry believe neither this key nor this
  audience. It tells a third party who is there, and no more than the tenant has consented to.
- A pseudonym is stable for as long as the key is, and another one in every install: two extensions cannot compare
  their users.
"""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from oriel.identity import jws
from oriel.identity.key_sets import key_id_of, key_set
from oriel.ids import new_id

PURPOSE = "oriel-ext-session"  # what the id of the key begins with
LIFETIME_SECONDS = 60
KEYS_PATH = "/api/ext-session/jwks.json"
_PSEUDONYMS = b"oriel session pseudonyms"


class SessionToken(Struct, frozen=True):
    """`expires_at` in Unix milliseconds."""

    token: str
    expires_at: int


class SessionSigner:
    """The gateway's side.

    Args:
        issuer: the platform's address, without a slash at the end.
        clock: Unix seconds.
    """

    def __init__(self, key: Ed25519PrivateKey, issuer: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key, self._issuer, self._clock = key, issuer, clock
        self._key_id = key_id_of(PURPOSE, key.public_key())
        seed = key.private_bytes_raw()
        self._pseudonym_key = HKDF(SHA256(), 32, salt=None, info=_PSEUDONYMS).derive(seed)

    def mint(self, *, extension_id: str, tenant_id: str, install_id: str, user_id: str, is_named: bool) -> SessionToken:
        """A token for one user in one install; `is_named` says that the extension may know who it is."""
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": extension_id,
            "sub": user_id if is_named else self._pseudonym(install_id, user_id),
            "tenant": tenant_id,
            "install": install_id,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": new_id("ses"),
        }
        token = jws.sign(claims, self._key, kid=self._key_id)
        return SessionToken(token, claims["exp"] * 1000)

    def jwks(self, others: Iterable[Ed25519PublicKey] = ()) -> dict[str, Any]:
        """The public half, and those of `others`: keys that sign elsewhere, or did a moment ago."""
        return key_set(PURPOSE, (self._key.public_key(), *others))

    def _pseudonym(self, install_id: str, user_id: str) -> str:
        digest = hmac.digest(self._pseudonym_key, f"{install_id}\0{user_id}".encode(), "sha256")
        return "anon_" + urlsafe_b64encode(digest[:18]).decode()

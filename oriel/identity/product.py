"""Host tokens: how the host product knows that a call comes from Oriel, for whom, and whole.

A JSON Web Token signed with Ed25519 by a key of its own, good for one call of one operation:

    iss "oriel-runner"   aud "oriel-host"   iat, exp (30 seconds apart)   jti
    operation            the operation that is called, `orders.list`
    body_sha256          the hex digest of the very bytes of the call's body
    tenant, install, extension, execution       on whose behalf
    sub                  the user's id, where a user stands behind the execution

Rules kept here:

- The key is neither the gateway's nor the local identity provider's: who holds it can speak to host products, and
  can make no token that the runner or the gateway believes.
- Its public half is in `/.well-known/jwks.json`, under an id that begins with `PURPOSE`, which `oriel.identity.jwks`
  takes for nobody's.
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oriel.contract import ExecutionContext
from oriel.identity import jws
from oriel.identity.key_sets import key_id_of
from oriel.ids import new_id

ISSUER = "oriel-runner"
AUDIENCE = "oriel-host"
PURPOSE = "oriel-host"  # what the id of the key begins with
LIFETIME_SECONDS = 30


class HostTokenSigner:
    """The runner's side. Host products verify with any library for JSON Web Tokens."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key, self._key_id = key, key_id_of(PURPOSE, key.public_key())

    def mint(self, body: bytes, operation: str, context: ExecutionContext, user_id: str | None = None) -> str:
        """A token for one call with this very body."""
        now = int(time.time())
        claims: Mapping[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": new_id("hst"),
            "operation": operation,
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "tenant": context.tenant_id,
            "install": context.install_id,
            "extension": context.extension_id,
            "execution": context.execution_id,
            **({} if user_id is None else {"sub": user_id}),
        }
        return jws.sign(claims, self._key, kid=self._key_id)

"""Tokens of the local identity provider: what `oriel serve` believes where no other issuer is configured.

In production the host product's identity provider issues these tokens and Oriel only verifies them. On one machine
the keyring's issuer key does, for `oriel token`, the demo and the command line.
"""

import time
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oriel.identity import jws
from oriel.identity.key_sets import jwk, key_set
from oriel.identity.product import PURPOSE as HOST_PURPOSE
from oriel.ids import new_id
from oriel.settings import LOCAL_ISSUER

LIFETIME_SECONDS = 300
KEY_ID = "local"


def jwks(key: Ed25519PrivateKey, *, host: Ed25519PrivateKey | None = None) -> dict[str, Any]:
    """The public halves as a JSON Web Key Set (RFC 8037): the issuer's, and of the key that signs host calls."""
    own = [jwk(key.public_key(), KEY_ID)]
    return {"keys": own if host is None else own + key_set(HOST_PURPOSE, [host.public_key()])["keys"]}


def mint_token(
    key: Ed25519PrivateKey,
    *,
    subject: str,
    tenant: str | None,
    roles: Sequence[str],
    audience: str = "oriel",
    issuer: str = LOCAL_ISSUER,
    name: str | None = None,
    email: str | None = None,
    lifetime: int = LIFETIME_SECONDS,
) -> str:
    """A signed token for one user; `lifetime` in seconds."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": now,
        "exp": now + lifetime,
        "jti": new_id("jwt"),
        "roles": list(roles),
    }
    claims |= {claim: value for claim, value in (("tenant", tenant), ("name", name), ("email", email)) if value}
    return jws.sign(claims, key, kid=KEY_ID)

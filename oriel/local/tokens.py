"""Tokens of the local identity provider: what `oriel serve` believes where no other issuer is configured.

In production the host product's identity provider issues these tokens and Oriel only verifies them. On one machine
the keyring's issuer key does, for `oriel token`, the demo and the command line.
"""

import base64
import time
from collections.abc import Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oriel.identity.product import KEY_ID as HOST_KEY_ID
from oriel.ids import new_id
from oriel.settings import LOCAL_ISSUER

LIFETIME_SECONDS = 300
KEY_ID = "local"


def jwks(key: Ed25519PrivateKey, *, host: Ed25519PrivateKey | None = None) -> dict[str, Any]:
    """The public halves as a JSON Web Key Set (RFC 8037): the issuer's, and of the key that signs host calls."""
    keys = [_jwk(key, KEY_ID)]
    return {"keys": keys if host is None else [*keys, _jwk(host, HOST_KEY_ID)]}


def _jwk(key: Ed25519PrivateKey, key_id: str) -> dict[str, str]:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id, "x": x}


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
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": KEY_ID})

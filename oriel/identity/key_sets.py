"""Key sets that others verify our tokens with (RFC 7517, RFC 8037): Ed25519 alone.

A key's id is its purpose and a digest of the key, `oriel-host-0f3a…`. After a rotation the set has the former key
beside the current one, each under an id of its own: a token of either is verified while it lives, and who meets an id
that he does not know fetches the set again.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DIGITS = 16


def key_id_of(purpose: str, key: Ed25519PublicKey) -> str:
    """The id of a key of that purpose."""
    return f"{purpose}-{hashlib.sha256(key.public_bytes_raw()).hexdigest()[:DIGITS]}"


def jwk(key: Ed25519PublicKey, key_id: str) -> Mapping[str, str]:
    """One key."""
    x = urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id, "x": x}


def key_set(purpose: str, keys: Iterable[Ed25519PublicKey]) -> dict[str, Any]:
    """The set of the keys of one purpose; a key that comes twice is in it once."""
    by_id = {key_id_of(purpose, key): key for key in keys}
    return {"keys": [jwk(key, key_id) for key_id, key in by_id.items()]}

"""The strict reading of a compact JWS (RFC 7515) before any key is looked at, and the platform's own tokens.

Signatures and claims of tokens that others issue are `oriel.identity.tokens`'s to check. Before that:

- exactly three base64url parts in their one canonical spelling: no padding, no spare bits, no bytes around them;
- header and claims are strict JSON objects: no duplicate names, no NaN; times (`exp`, `nbf`, `iat`) are numbers;
- no header that brings a key along or points at one (`jwk`, `jku`, `x5c`, `x5u`), none that changes how the token
  is to be read (`crit`, `b64`, `zip`): the key comes from configuration, never from the token.

The platform's own tokens have one algorithm, Ed25519 (RFC 8037), and are signed and verified here: a runner that starts
for one request does not load more.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from oriel import strict_json

MAX_TOKEN_BYTES = 8_192
MAX_DEPTH = 8
ALGORITHM = "EdDSA"
KEY_ID = re.compile(r"[A-Za-z0-9._:=+-]{1,200}")

_PARTS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_FORBIDDEN_HEADERS = frozenset({"jwk", "jku", "x5c", "x5u", "crit", "b64", "zip", "enc"})


class Malformed(ValueError):
    """The token cannot be read; the text says why and may be shown to its sender."""


class Unverified(Struct, frozen=True):
    """A token that is well formed. Nothing in it is to be believed yet."""

    key_id: str | None
    algorithm: object
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def sign(claims: Mapping[str, Any], key: Ed25519PrivateKey, **header: str) -> str:
    """A token of the platform's own. `header` is added to its algorithm and its type."""
    parts = ({"alg": ALGORITHM, "typ": "JWT", **header}, dict(claims))
    signed = ".".join(_text(strict_json.dumps(part)) for part in parts)
    return f"{signed}.{_text(key.sign(signed.encode()))}"


def verify(token: str, keys: Sequence[Ed25519PublicKey]) -> dict[str, Any]:
    """The claims of a token that one of `keys` signed with Ed25519; the caller judges them.

    Raises:
        Malformed
        InvalidSignature: of `cryptography`.
    """
    unverified = read(token)
    if unverified.algorithm != ALGORITHM:
        raise InvalidSignature
    if not any(_fits(key, unverified.signature, unverified.signed) for key in keys):
        raise InvalidSignature
    return unverified.claims


def read(token: str) -> Unverified:
    """Take a token apart.

    Raises:
        Malformed
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise Malformed(f"the token has more than {MAX_TOKEN_BYTES:,} bytes")
    if not _PARTS.fullmatch(token):
        raise Malformed("the token is not three base64url parts with dots between them")
    header_part, claims_part, signature_part = token.split(".")
    signature = decoded(signature_part)
    header = _object(header_part, "header")
    if surplus := _FORBIDDEN_HEADERS & header.keys():
        raise Malformed(f"the token's header holds '{min(surplus)}', which is not taken")
    claims = _object(claims_part, "claims")
    for name in ("exp", "nbf", "iat"):
        if not isinstance(claims.get(name, 0), int | float) or isinstance(claims.get(name), bool):
            raise Malformed(f"the token's '{name}' is not a number")
    signed = f"{header_part}.{claims_part}".encode()
    return Unverified(_key_id(header), header.get("alg"), claims, signed, signature)


def _fits(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _key_id(header: dict[str, Any]) -> str | None:
    if "kid" not in header:
        return None
    key_id = header["kid"]
    if not isinstance(key_id, str) or not KEY_ID.fullmatch(key_id):
        raise Malformed("the token's 'kid' is not a plain key id")
    return key_id


def _object(part: str, what: str) -> dict[str, Any]:
    try:
        value = strict_json.loads(decoded(part), max_bytes=MAX_TOKEN_BYTES, max_depth=MAX_DEPTH)
    except strict_json.JsonError as error:
        raise Malformed(f"the token's {what} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise Malformed(f"the token's {what} is not a JSON object")
    return value


def decoded(part: str) -> bytes:
    """Base64url in its one canonical spelling; `Malformed`."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise Malformed("a part of the token is not base64url") from None
    if _text(raw) != part:
        raise Malformed("a part of the token is not canonical base64url")
    return raw

"""Other people's keys and signatures: the algorithms of JSON Web Tokens that are believed here.

| key | algorithms | source |
|---|---|---|
| Ed25519 | EdDSA | RFC 8037 |
| P-256 | ES256 | RFC 7518, 3.4 |
| RSA, 2,048 to 8,192 bits | RS256, PS256 | RFC 7518, 3.3 and 3.5 |

Rules kept here:

- A key fits the algorithms of its own kind and no other, so a public key is never an HMAC secret.
- Private and symmetric keys are no keys here, nor is one for anything but signatures.
- The cryptography is the library's. PyJWT would do the rest, and takes a quarter of the gateway's start for it, most of
  it for certificates, which nobody sends (docs/decisions/0010-tokens-without-pyjwt.md). The tests compare the two.
"""

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from oriel.identity import jws

RSA_BITS = range(2_048, 8_193)
_COORDINATE = 32  # bytes of a number of P-256
_ALGORITHMS: Mapping[tuple[object, object], tuple[str, ...]] = {
    ("OKP", "Ed25519"): ("EdDSA",),
    ("EC", "P-256"): ("ES256",),
    ("RSA", None): ("RS256", "PS256"),
}

PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def algorithms_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What a key of a JSON Web Key Set (RFC 7517) may be used with; nothing, where it is none for signatures."""
    if "d" in entry or entry.get("use", "sig") != "sig":
        return ()
    kind = (entry.get("kty"), entry.get("crv"))
    fitting = _ALGORITHMS.get(kind, ()) if all(isinstance(word, str | None) for word in kind) else ()
    return tuple(algorithm for algorithm in fitting if entry.get("alg", algorithm) == algorithm)


def public_key(entry: Mapping[str, Any]) -> PublicKey:
    """The key of an entry that has algorithms.

    Raises:
        ValueError: it cannot be read, or is too weak or too large.
    """
    match entry["kty"]:
        case "OKP":
            return Ed25519PublicKey.from_public_bytes(_member(entry, "x"))
        case "EC":
            x, y = _member(entry, "x"), _member(entry, "y")
            if len(x) != _COORDINATE or len(y) != _COORDINATE:
                raise ValueError("a coordinate of P-256 has 32 bytes")
            return ec.EllipticCurvePublicNumbers(_number(x), _number(y), ec.SECP256R1()).public_key()
    modulus, exponent = _number(_member(entry, "n")), _number(_member(entry, "e"))
    if modulus.bit_length() not in RSA_BITS:
        raise ValueError("an RSA key has 2,048 to 8,192 bits")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def fits(key: PublicKey, algorithm: str, signature: bytes, message: bytes) -> bool:
    """Whether the key made the signature by that algorithm, which is one of its own kind."""
    try:
        _verify(key, algorithm, signature, message)
    except InvalidSignature:
        return False
    return True


def _verify(key: PublicKey, algorithm: str, signature: bytes, message: bytes) -> None:
    match key, algorithm:
        case Ed25519PublicKey(), "EdDSA":
            key.verify(signature, message)
        case ec.EllipticCurvePublicKey(), "ES256" if len(signature) == 2 * _COORDINATE:
            halves = _number(signature[:_COORDINATE]), _number(signature[_COORDINATE:])
            key.verify(encode_dss_signature(*halves), message, ec.ECDSA(SHA256()))
        case rsa.RSAPublicKey(), "RS256":
            key.verify(signature, message, padding.PKCS1v15(), SHA256())
        case rsa.RSAPublicKey(), "PS256":
            salted = padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size)
            key.verify(signature, message, salted, SHA256())
        case _:
            raise InvalidSignature


def _member(entry: Mapping[str, Any], name: str) -> bytes:
    value = entry.get(name)
    if not isinstance(value, str):
        raise ValueError(f"the key has no '{name}'")
    return jws.decoded(value)


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")

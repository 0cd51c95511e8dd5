"""Signing keys and public keys of the three kinds that Oriel knows.

    ed25519      Ed25519 (RFC 8032)
    ecdsa-p256   ECDSA over P-256 with SHA-256, the signature in DER
    rsa-pss      RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes

Rules kept here:

- A key has one scheme. Nothing in an envelope chooses an algorithm.
- `key_id` is `sha256:` and the hex SHA-256 of the key's SubjectPublicKeyInfo in DER.
- Weak keys are refused when they are read: other curves, RSA under 2048 bits or with a small exponent, and Ed25519
  points of small order, for which anyone can write a "signature" of any message.
"""

import hashlib
from typing import TYPE_CHECKING, Literal, Protocol, Self, get_args

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from oriel.errors import OrielError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption

KeyKind = Literal["ed25519", "ecdsa-p256", "rsa-pss"]
KEY_KINDS: tuple[KeyKind, ...] = get_args(KeyKind)

RSA_BITS = 3072  # of a new key; as strong as P-256
RSA_MIN_BITS = 2048  # of a key that is trusted; what many certificate authorities still issue
RSA_MAX_BITS = 8192  # verifying with a larger one costs the platform too much
RSA_MIN_EXPONENT = 65537

_SHA256 = hashes.SHA256()
_PSS = padding.PSS(mgf=padding.MGF1(_SHA256), salt_length=_SHA256.digest_size)
_ECDSA = ec.ECDSA(_SHA256)

# SubjectPublicKeyInfo of an Ed25519 key and of a point of P-256, up to the key itself (RFC 8410, RFC 5480).
# `serialization` would write and read them too, and is the slowest part of its library to import: a runner, whose
# platform key this is, does without.
_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")
_P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")

_FIELD = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# The y of every point whose order divides 8, with the two that are not reduced modulo the field's prime.
_SMALL_ORDER = frozenset({0, 1, _ORDER_8, _FIELD - _ORDER_8, _FIELD - 1, _FIELD, _FIELD + 1})

_Public = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_Private = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class PublicKey:
    """A key that verifies. Immutable; equal to another one with the same `key_id`.

    Args:
        key: of `cryptography`.

    Raises:
        OrielError: `invalid_input` where the kind is unknown or the key is weak.
    """

    def __init__(self, key: "PublicKeyTypes") -> None:
        self._key, self.kind = _accepted(key)
        self.key_id = key_id_of(key)

    @classmethod
    def from_p256_der(cls, der: bytes) -> Self:
        """Read the SubjectPublicKeyInfo of a key of P-256, its point uncompressed.

        Raises:
            OrielError: `invalid_input` where it is something else.
        """
        try:
            if not der.startswith(_P256_SPKI):
                raise ValueError
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), der.removeprefix(_P256_SPKI))
        except ValueError:
            raise OrielError("invalid_input", "This is not a public key of ECDSA over P-256 in DER.") from None
        return cls(key)

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        """Read one `PUBLIC KEY` block.

        Raises:
            OrielError: `invalid_input` where it is something else, or the key is weak.
        """
        from cryptography.hazmat.primitives import serialization

        try:
            key = serialization.load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise OrielError("invalid_input", "This is not a public key in PEM (a 'PUBLIC KEY' block).") from None
        return cls(key)

    def to_pem(self) -> str:
        from cryptography.hazmat.primitives import serialization

        pem = self._key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return pem.decode()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is one of this key over `message`."""
        try:
            match self._key:
                case Ed25519PublicKey():
                    self._key.verify(signature, message)
                case ec.EllipticCurvePublicKey():
                    self._key.verify(signature, message, _ECDSA)
                case rsa.RSAPublicKey():
                    self._key.verify(signature, message, _PSS, _SHA256)
        except InvalidSignature:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.key_id == self.key_id

    def __hash__(self) -> int:
        return hash(self.key_id)

    def __repr__(self) -> str:
        return f"PublicKey({self.kind}, {self.key_id})"


class Signer(Protocol):
    """Whatever signs with one key: the key itself, or a service that keeps it."""

    @property
    def public(self) -> PublicKey: ...

    def sign(self, message: bytes) -> bytes: ...


class SigningKey:
    """A key that signs. Its representation never shows the private half.

    Raises:
        OrielError: as `PublicKey`.
    """

    def __init__(self, key: "PrivateKeyTypes") -> None:
        if not isinstance(key, _Private):
            raise _unknown_kind()
        self._key = key
        self.public = PublicKey(key.public_key())

    @classmethod
    def from_pem(cls, pem: str, passphrase: str | None = None) -> Self:
        """Read a private key: PKCS #8, and the older forms that OpenSSL writes.

        Raises:
            OrielError: `invalid_input` where it is no private key, is weak, or the passphrase does not open it.
        """
        from cryptography.hazmat.primitives import serialization

        secret = passphrase.encode() if passphrase else None
        try:
            key = serialization.load_pem_private_key(pem.encode(), secret)
        except TypeError:
            detail = "The key has no passphrase." if secret else "The key is encrypted."
            hint = "Leave the passphrase out." if secret else "Give its passphrase."
            raise OrielError("invalid_input", detail, hint=hint) from None
        except (ValueError, UnsupportedAlgorithm):
            raise OrielError(
                "invalid_input", "This is not a private key in PEM (PKCS #8), or the passphrase is another one."
            ) from None
        return cls(key)

    def to_pem(self, passphrase: str | None = None) -> str:
        """PKCS #8, encrypted where a passphrase is given. Write it to a file of mode 0600."""
        from cryptography.hazmat.primitives import serialization

        encryption: KeySerializationEncryption = serialization.NoEncryption()
        if passphrase:
            encryption = serialization.BestAvailableEncryption(passphrase.encode())
        pem = self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        return pem.decode()

    @property
    def kind(self) -> KeyKind:
        return self.public.kind

    @property
    def key_id(self) -> str:
        return self.public.key_id

    def sign(self, message: bytes) -> bytes:
        match self._key:
            case Ed25519PrivateKey():
                return self._key.sign(message)
            case ec.EllipticCurvePrivateKey():
                return self._key.sign(message, _ECDSA)
            case rsa.RSAPrivateKey():
                return self._key.sign(message, _PSS, _SHA256)

    def __repr__(self) -> str:
        return f"SigningKey({self.kind}, {self.key_id})"


def generate_key(kind: KeyKind = "ed25519") -> SigningKey:
    """A new key.

    Raises:
        OrielError: `invalid_input` where `kind` is none of `KEY_KINDS`.
    """
    match kind:
        case "ed25519":
            return SigningKey(Ed25519PrivateKey.generate())
        case "ecdsa-p256":
            return SigningKey(ec.generate_private_key(ec.SECP256R1()))
        case "rsa-pss":
            return SigningKey(rsa.generate_private_key(RSA_MIN_EXPONENT, RSA_BITS))
        case _:
            raise _unknown_kind()


def key_id_of(key: "PublicKeyTypes") -> str:
    """The id of a public key of any kind."""
    return "sha256:" + hashlib.sha256(_spki(key)).hexdigest()


def _spki(key: "PublicKeyTypes") -> bytes:
    if isinstance(key, Ed25519PublicKey):
        return _ED25519_SPKI + key.public_bytes_raw()
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        point = key.public_numbers()
        return _P256_SPKI + b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _accepted(key: "PublicKeyTypes") -> tuple[_Public, KeyKind]:
    match key:
        case Ed25519PublicKey():
            _refuse_small_order(key)
            return key, "ed25519"
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return key, "ecdsa-p256"
        case rsa.RSAPublicKey():
            _refuse_weak_rsa(key)
            return key, "rsa-pss"
        case _:
            raise _unknown_kind()


def _refuse_small_order(key: Ed25519PublicKey) -> None:
    y = int.from_bytes(key.public_bytes_raw(), "little") & (1 << 255) - 1
    if y in _SMALL_ORDER:
        raise OrielError("invalid_input", "The Ed25519 key is a point of small order: anyone can sign for it.")


def _refuse_weak_rsa(key: rsa.RSAPublicKey) -> None:
    if not RSA_MIN_BITS <= key.key_size <= RSA_MAX_BITS:
        raise OrielError(
            "invalid_input", f"The RSA key has {key.key_size} bits; {RSA_MIN_BITS} to {RSA_MAX_BITS} are allowed."
        )
    exponent = key.public_numbers().e
    if exponent < RSA_MIN_EXPONENT or exponent.bit_length() > 32:
        raise OrielError("invalid_input", f"The RSA key's exponent must be at least {RSA_MIN_EXPONENT}, in 32 bits.")


def _unknown_kind() -> OrielError:
    return OrielError(
        "invalid_input", "The key is of an unknown kind.", hint=f"Use one of {', '.join(KEY_KINDS)}: oriel keygen."
    )

"""X.509 certificates that bind a key to a publisher.

A leaf names its publishers in URIs of its subject alternative name, `oriel:publisher:com.acme`. It comes with the
envelope (`x5c`) and with the certificates between it and an authority of the trust bundle.

Rules kept here:

- The chain is a line, leaf first: each certificate is issued by the next, the last one by an authority of the trust
  bundle. Nothing is fetched, nothing is left over, no path is searched.
- Every certificate is valid now; every issuer is a CA that may sign certificates, within its path length.
- The leaf is no CA, may sign (key usage) and, where it limits its purposes, may sign code.
- A critical extension that is not understood here is a refusal: name constraints are not understood.
- Authorities may have stronger keys than the kinds that sign bundles (P-384, Ed448), and no weaker ones.
- An authority that the operator limited to publishers certifies those and the ones below them only.

`cryptography.x509.verification` is for TLS: it refuses Ed25519, the first of our kinds. Sources: RFC 5280, section 6.1.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from msgspec import Struct

from oriel.errors import OrielError
from oriel.names import owns
from oriel.signing.keys import RSA_MIN_BITS, PublicKey, key_id_of
from oriel.signing.policy import ChainError, TrustedKey, Validity, milliseconds

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

PUBLISHER_URI = "oriel:publisher:"

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class CertificateError(ValueError):
    """Why a certificate is not taken, as the end of a sentence that starts with it."""


class Authority(Struct, frozen=True):
    """A CA of the trust bundle; `publishers` limits whom it may certify, empty is no limit."""

    certificate: x509.Certificate
    publishers: frozenset[str]
    validity: Validity

    @property
    def key_id(self) -> str:
        return key_id_of(self.certificate.public_key())

    def certifies(self, publisher: str) -> bool:
        return not self.publishers or any(owns(limit, publisher) for limit in self.publishers)


def certified(x5c: Sequence[bytes], authorities: Iterable[Authority], now: int) -> tuple[TrustedKey, list[str]]:
    """The leaf's key as the chain vouches for it, and the ids of the keys above it.

    Args:
        x5c: certificates in DER, leaf first.

    Raises:
        ChainError: with the reason.
    """
    try:
        chain = [load(der) for der in x5c]
        leaf_key = PublicKey(chain[0].public_key())
    except (CertificateError, OrielError) as error:
        reason = error.detail if isinstance(error, OrielError) else f"it {error}"
        raise ChainError(f"comes with a certificate that is refused: {reason}") from None
    leaf, *issuers = chain
    _check_leaf(leaf)
    for below, (certificate, issuer) in enumerate(zip(chain, issuers, strict=False)):
        _check_issued(certificate, issuer, below)
    authority = _authority_of(chain, authorities)
    for certificate in chain:
        _check_now(certificate, validity_of(certificate), now)
    _check_now(authority.certificate, authority.validity.within(validity_of(authority.certificate)), now)
    publishers = publishers_of(leaf)
    for publisher in sorted(publishers):
        if not authority.certifies(publisher):
            raise ChainError(f"has a certificate for {publisher}, for which its authority may not vouch")
    above = [authority.key_id, *(key_id_of(issuer.public_key()) for issuer in issuers)]
    return TrustedKey(leaf_key, publishers, validity_of(leaf)), above


def load(der: bytes) -> x509.Certificate:
    """A certificate of which every part that is looked at later can be read.

    Raises:
        CertificateError: with the reason.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        critical = {extension.oid for extension in certificate.extensions if extension.critical}
        _ = certificate.subject, certificate.issuer, certificate.signature_hash_algorithm
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise CertificateError("cannot be read") from None
    if unknown := critical - _UNDERSTOOD:
        listed = ", ".join(sorted(oid.dotted_string for oid in unknown))
        raise CertificateError(f"has a critical extension that is not understood ({listed})")
    if not _is_strong(key):
        raise CertificateError("has a weak key, or one of an unknown kind")
    return certificate


def is_authority(certificate: x509.Certificate) -> bool:
    basic = _extension(certificate, x509.BasicConstraints)
    return basic is not None and basic.ca


def publishers_of(certificate: x509.Certificate) -> frozenset[str]:
    """The publishers that the certificate's subject alternative name binds its key to."""
    names = _extension(certificate, x509.SubjectAlternativeName)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    return frozenset(uri.removeprefix(PUBLISHER_URI) for uri in uris if uri.startswith(PUBLISHER_URI))


def validity_of(certificate: x509.Certificate) -> Validity:
    """The certificate's own window; its last second is part of it (RFC 5280, 4.1.2.5)."""
    return Validity(
        not_before=milliseconds(certificate.not_valid_before_utc),
        not_after=milliseconds(certificate.not_valid_after_utc) + 1000,
    )


def _check_leaf(leaf: x509.Certificate) -> None:
    usage = _extension(leaf, x509.KeyUsage)
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    if is_authority(leaf):
        raise ChainError("has the certificate of an authority; sign with a leaf's key")
    if usage is not None and not usage.digital_signature:
        raise ChainError("has a certificate whose key usage does not allow signatures")
    if purposes is not None and ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise ChainError("has a certificate that is not for signing code")


def _authority_of(chain: Sequence[x509.Certificate], authorities: Iterable[Authority]) -> Authority:
    """The authority that issued the chain's last certificate."""
    last = chain[-1]
    named = [authority for authority in authorities if authority.certificate.subject == last.issuer]
    reason: ChainError | None = None
    for authority in named:
        try:
            _check_issued(last, authority.certificate, len(chain) - 1)
        except ChainError as error:
            reason = error
        else:
            return authority
    raise reason or ChainError("has a chain that does not end in the trust bundle")


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate, below: int) -> None:
    """`below` is the number of CA certificates between the issuer and the leaf."""
    basic = _extension(issuer, x509.BasicConstraints)
    usage = _extension(issuer, x509.KeyUsage)
    if basic is None or not basic.ca:
        raise ChainError("has a chain with an issuer that is no authority")
    if basic.path_length is not None and below > basic.path_length:
        raise ChainError(f"has a chain longer than an issuer's path length of {basic.path_length}")
    if usage is not None and not usage.key_cert_sign:
        raise ChainError("has a chain with an issuer whose key usage does not allow certificates")
    if not isinstance(certificate.signature_hash_algorithm, (*_HASHES, type(None))):
        raise ChainError("has a chain with a certificate signed with a weak hash")
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        raise ChainError("has a chain in which a certificate was not issued by the next one") from None


def _check_now(certificate: x509.Certificate, validity: Validity, now: int) -> None:
    if refusal := validity.refusal(now):
        raise ChainError(f"has a chain in which '{certificate.subject.rfc4514_string()}' {refusal}")


def _is_strong(key: CertificatePublicKeyTypes) -> bool:
    match key:
        case rsa.RSAPublicKey():
            return key.key_size >= RSA_MIN_BITS
        case ec.EllipticCurvePublicKey():
            return key.key_size >= 256
        case _:
            return isinstance(key, Ed25519PublicKey | Ed448PublicKey)


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None

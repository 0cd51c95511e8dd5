"""Who vouches for a bundle: keys, DSSE envelopes over in-toto statements, and whom to believe.

    keys        Ed25519, ECDSA P-256 and RSA-PSS behind two classes
    dsse        the envelope: signatures over a payload and its type
    chains      X.509 certificates that bind a key to a publisher
    trust       which key may speak for which publisher, and when
    pem         the operator's trust bundle as text
    statements  signing and verifying; the only part that most callers need

Pure: nothing here reads a file, the network or the store. Failures are `signature_missing`, `signature_invalid` or
`signature_untrusted` with the exact reason.
"""

from typing import TYPE_CHECKING

from oriel.lazy import exports

if TYPE_CHECKING:
    from oriel.signing.dsse import MAX_ENVELOPE_BYTES, PAYLOAD_TYPE, pae
    from oriel.signing.keys import KEY_KINDS, KeyKind, PublicKey, Signer, SigningKey, generate_key
    from oriel.signing.policy import TrustedKey, Validity
    from oriel.signing.statements import (
        BUNDLE_PREDICATE,
        BUNDLE_SUBJECT,
        STATEMENT_TYPE,
        Statement,
        VerifiedSignature,
        claims,
        sign_bundle,
        sign_statement,
        verify_bundle,
        verify_statement,
    )
    from oriel.signing.trust import TrustBundle

__all__ = [
    "BUNDLE_PREDICATE",
    "BUNDLE_SUBJECT",
    "KEY_KINDS",
    "MAX_ENVELOPE_BYTES",
    "PAYLOAD_TYPE",
    "STATEMENT_TYPE",
    "KeyKind",
    "PublicKey",
    "Signer",
    "SigningKey",
    "Statement",
    "TrustBundle",
    "TrustedKey",
    "Validity",
    "VerifiedSignature",
    "claims",
    "generate_key",
    "pae",
    "sign_bundle",
    "sign_statement",
    "verify_bundle",
    "verify_statement",
]

__getattr__ = exports(
    __name__,
    {
        "dsse": "MAX_ENVELOPE_BYTES PAYLOAD_TYPE pae",
        "keys": "KEY_KINDS KeyKind PublicKey Signer SigningKey generate_key",
        "policy": "TrustedKey Validity",
        "statements": "BUNDLE_PREDICATE BUNDLE_SUBJECT STATEMENT_TYPE Statement VerifiedSignature "
        "claims sign_bundle sign_statement verify_bundle verify_statement",
        "trust": "TrustBundle",
    },
)

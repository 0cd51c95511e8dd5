"""Signing and verifying: in-toto statements, and the one that binds a bundle to its name, version and publisher.

Rules kept here:

- A statement is believed for what the caller asked, not for what it says of itself: its predicate type, its subject's
  digest, and for a bundle its name, version and publisher are all compared.
- A signature over one thing never passes for another: every kind of statement has its own predicate type.
- Equal input gives an equal payload: nothing in it depends on the time or the machine.

Source: the in-toto attestation framework, Statement v1.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from oriel import strict_json
from oriel.clock import now_ms
from oriel.errors import OrielError
from oriel.messages import Message
from oriel.signing.dsse import MAX_ENVELOPE_BYTES, PAYLOAD_TYPE, Envelope, Signature, pae, seal
from oriel.signing.keys import Signer
from oriel.signing.trust import TrustBundle

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
BUNDLE_PREDICATE = "https://oriel.dev/provenance/bundle/v1"
BUNDLE_SUBJECT = "bundle.tar.zst"

_Digests = dict[Literal["blake3", "sha256"], Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]]


class _Subject(Message, frozen=True):
    name: str
    digest: Annotated[_Digests, Meta(min_length=1, max_length=1)]


class _Statement(Message, frozen=True):
    type: Literal["https://in-toto.io/Statement/v1"] = field(name="_type")
    subject: Annotated[tuple[_Subject, ...], Meta(min_length=1, max_length=64)]
    predicate_type: str = field(name="predicateType")
    predicate: dict[str, Any]


class Statement(Struct, frozen=True):
    """A statement whose signature was verified. `subjects` maps a name to `sha256:…` or `blake3:…`."""

    subjects: Mapping[str, str]
    predicate_type: str
    predicate: Mapping[str, Any]
    key_id: str


class VerifiedSignature(Struct, frozen=True):
    """Who vouches for a bundle, and for which one."""

    key_id: str
    publisher: str
    content_hash: str


def sign_statement(
    subjects: Mapping[str, str],
    predicate_type: str,
    predicate: Mapping[str, Any],
    key: Signer,
    *,
    certificates: Sequence[bytes] = (),
) -> bytes:
    """The envelope (compact JSON) of a new statement.

    Args:
        subjects: name to `sha256:` or `blake3:` and 64 hex digits.
        predicate: JSON values only.
        certificates: in DER, the signing key's own first, where the verifier trusts their authority and not the key.
    """
    members = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": _digest(text)} for name, text in sorted(subjects.items())],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }
    payload = strict_json.dumps(_Statement.convert(members).to_plain())
    signature = Signature(keyid=key.public.key_id, sig=key.sign(pae(PAYLOAD_TYPE, payload)), x5c=tuple(certificates))
    return seal(payload, [signature])


def verify_statement(
    envelope: bytes, *, predicate_type: str, publisher: str, trust: TrustBundle, now: int | None = None
) -> Statement:
    """The statement in the envelope, if a key that may speak for `publisher` signed it.

    The caller compares subjects and predicate with what it asked for.

    Args:
        now: Unix milliseconds; by default the clock's.

    Raises:
        OrielError: `signature_missing`, `signature_invalid` or `signature_untrusted`.
    """
    parsed = Envelope.parse(envelope)
    signer = trust.signer(parsed, publisher, now_ms() if now is None else now)
    statement = _statement(parsed)
    if statement.predicate_type != predicate_type:
        shown = strict_json.shown(statement.predicate_type)
        raise OrielError("signature_invalid", f"The statement is a {shown}, not a '{predicate_type}'.")
    subjects = {subject.name: _text(subject.digest) for subject in statement.subject}
    return Statement(subjects, statement.predicate_type, statement.predicate, signer.key_id)


def _digest(text: str) -> dict[str, str]:
    algorithm, _, hexdigest = text.partition(":")
    return {algorithm: hexdigest}


def _text(digest: _Digests) -> str:
    ((algorithm, hexdigest),) = digest.items()
    return f"{algorithm}:{hexdigest}"


def claims(envelope: bytes) -> Mapping[str, Any]:
    """The predicate of an envelope's statement, whoever signed it: enough to refuse by, never to believe.

    Raises:
        OrielError: `signature_missing` or `signature_invalid`.
    """
    return _statement(Envelope.parse(envelope)).predicate


def _statement(envelope: Envelope) -> _Statement:
    try:
        return _Statement.convert(strict_json.loads(envelope.payload, max_bytes=MAX_ENVELOPE_BYTES))
    except (msgspec.ValidationError, strict_json.JsonError):
        raise OrielError("signature_invalid", "The signed payload is not an in-toto Statement v1.") from None


def sign_bundle(
    content_hash: str,
    key: Signer,
    *,
    name: str,
    version: str,
    publisher: str,
    certificates: Sequence[bytes] = (),
) -> bytes:
    """The envelope that vouches for a bundle as this version of this extension."""
    predicate = {"name": name, "version": version, "publisher": publisher}
    return sign_statement({BUNDLE_SUBJECT: content_hash}, BUNDLE_PREDICATE, predicate, key, certificates=certificates)


def verify_bundle(
    envelope: bytes | None,
    *,
    content_hash: str,
    publisher: str,
    name: str,
    version: str,
    trust: TrustBundle,
    now: int | None = None,
) -> VerifiedSignature:
    """Who vouches for the bundle with this hash as this version of this extension.

    Args:
        envelope: as uploaded; None where there is none.
        content_hash: computed from the bundle's bytes, not taken from a message.
        publisher, name, version: from the bundle's manifest.
        now: Unix milliseconds; by default the clock's.

    Raises:
        OrielError: `signature_missing`, `signature_invalid` or `signature_untrusted`.
    """
    if envelope is None:
        raise OrielError("signature_missing")
    statement = verify_statement(envelope, predicate_type=BUNDLE_PREDICATE, publisher=publisher, trust=trust, now=now)
    if list(statement.subjects.values()) != [content_hash]:
        raise OrielError("signature_invalid", f"The signature is for another bundle; this one is {content_hash}.")
    claimed = {"name": name, "version": version, "publisher": publisher}
    for claim, expected in claimed.items():
        if statement.predicate.get(claim) != expected:
            shown = strict_json.shown(str(statement.predicate.get(claim)))
            raise OrielError(
                "signature_invalid", f"The signature is for {claim} {shown}; the manifest says '{expected}'."
            )
    return VerifiedSignature(statement.key_id, publisher, content_hash)

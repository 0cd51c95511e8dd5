"""The envelope: DSSE v1, a payload, its type, and signatures over both.

    {"payloadType": "application/vnd.in-toto+json", "payload": "<base64>",
     "signatures": [{"keyid": "sha256:…", "sig": "<base64>", "x5c": ["<base64 DER>", …]}]}

Rules kept here:

- What is signed is the pre-authentication encoding (PAE) of type and payload, never JSON.
- One form: standard base64 with padding and no stray bits, no duplicate or unknown keys, one signature a key.
  An envelope with any byte changed is another one, or none.
- `keyid` is required and names the key; it is a hint to find it, and proves nothing.
- `x5c` (as in RFC 7515, 4.1.6) is Oriel's own field: the signer's certificate and the ones above it, leaf first.

Source: the DSSE specification, v1.0.2.
"""

from collections.abc import Sequence
from typing import Annotated, Self

import msgspec
from msgspec import Meta, field

from oriel import strict_json
from oriel.errors import OrielError
from oriel.messages import Message, place_and_problem

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 64 * 1024  # a statement is some hundred bytes, a chain of certificates a few thousand
MAX_SIGNATURES = 8  # each one costs a verification
MAX_CERTIFICATES = 4


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


class Signature(Message, frozen=True, omit_defaults=True):
    """One signature; without certificates it has no `x5c`."""

    keyid: Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]
    sig: Annotated[bytes, Meta(min_length=1)]
    x5c: Annotated[tuple[Annotated[bytes, Meta(min_length=1)], ...], Meta(max_length=MAX_CERTIFICATES)] = ()


class Envelope(Message, frozen=True):
    """Parsed, and nothing more: whether to believe it is `oriel.signing.trust`'s to say."""

    payload_type: str = field(name="payloadType")
    payload: Annotated[bytes, Meta(min_length=1)]
    signatures: Annotated[tuple[Signature, ...], Meta(max_length=MAX_SIGNATURES)]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an envelope.

        Raises:
            OrielError: `signature_missing` where there is no signature in it, `signature_invalid` where it is not
                an envelope of this form.
        """
        if not data.strip():
            raise OrielError("signature_missing", "The envelope is empty.")
        try:
            members = strict_json.loads(data, max_bytes=MAX_ENVELOPE_BYTES)
            envelope = cls.convert(members)
        except strict_json.JsonError as error:
            raise OrielError("signature_invalid", f"The envelope is not valid JSON: {error}.") from None
        except msgspec.ValidationError as error:
            place, problem = place_and_problem(error)
            raise OrielError(
                "signature_invalid", f"The envelope is not valid: {place or 'the whole'}: {problem}."
            ) from None
        if strict_json.loads(envelope.to_bytes(), max_bytes=MAX_ENVELOPE_BYTES) != members:
            raise OrielError("signature_invalid", "A part of the envelope is not the one base64 form of its bytes.")
        if envelope.payload_type != PAYLOAD_TYPE:
            kind = strict_json.shown(envelope.payload_type)
            raise OrielError("signature_invalid", f"The envelope's payloadType is {kind}, not '{PAYLOAD_TYPE}'.")
        if not envelope.signatures:
            raise OrielError("signature_missing", "The envelope holds no signature.")
        if len({signature.keyid for signature in envelope.signatures}) < len(envelope.signatures):
            raise OrielError("signature_invalid", "The envelope holds two signatures of one key.")
        return envelope

    def signed_bytes(self) -> bytes:
        return pae(self.payload_type, self.payload)

    def to_bytes(self) -> bytes:
        """Compact JSON with sorted keys."""
        return strict_json.dumps(self.to_plain())


def seal(payload: bytes, signatures: Sequence[Signature]) -> bytes:
    """The bytes of an envelope for an in-toto statement."""
    return Envelope(payload_type=PAYLOAD_TYPE, payload=payload, signatures=tuple(signatures)).to_bytes()

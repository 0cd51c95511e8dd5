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

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, ValidationError, WithJsonSchema

from oriel import strict_json
from oriel.errors import OrielError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 64 * 1024  # a statement is some hundred bytes, a chain of certificates a few thousand
MAX_SIGNATURES = 8  # each one costs a verification
MAX_CERTIFICATES = 4


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _from_base64(text: object) -> bytes:
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str) or not text:
        raise ValueError("must be base64 text")
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("is not base64 (RFC 4648, section 4, with padding)") from None
    if _to_base64(data) != text:
        raise ValueError("is not the one base64 form of its bytes")
    return data


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


_Bytes = Annotated[bytes, PlainValidator(_from_base64), PlainSerializer(_to_base64), WithJsonSchema({"type": "string"})]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Signature(_Model):
    keyid: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    sig: _Bytes
    x5c: Annotated[tuple[_Bytes, ...], Field(max_length=MAX_CERTIFICATES)] = ()


class Envelope(_Model):
    """Parsed, and nothing more: whether to believe it is `oriel.signing.trust`'s to say."""

    payload_type: Annotated[str, Field(alias="payloadType")]
    payload: _Bytes
    signatures: Annotated[tuple[Signature, ...], Field(max_length=MAX_SIGNATURES)]

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
            envelope = cls.model_validate(strict_json.loads(data, max_bytes=MAX_ENVELOPE_BYTES))
        except strict_json.JsonError as error:
            raise OrielError("signature_invalid", f"The envelope is not valid JSON: {error}.") from None
        except ValidationError as error:
            raise OrielError("signature_invalid", f"The envelope is not valid: {_first(error)}.") from None
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
        """Compact JSON with sorted keys; a signature without certificates has no `x5c`."""
        return strict_json.dumps(self.model_dump(by_alias=True, exclude_defaults=True))


def seal(payload: bytes, signatures: Sequence[Signature]) -> bytes:
    """The bytes of an envelope for an in-toto statement."""
    members = {"payloadType": PAYLOAD_TYPE, "payload": payload, "signatures": tuple(signatures)}
    return Envelope.model_validate(members).to_bytes()


def _first(error: ValidationError) -> str:
    finding = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in finding["loc"]) or "the whole"
    return f"{place}: {finding['msg'].removeprefix('Value error, ')}"

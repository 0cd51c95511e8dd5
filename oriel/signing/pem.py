"""The trust bundle as an operator writes it: PEM blocks, with lines above each that say what holds for it.

    Acme's release key, asked for in ticket 4711
    Publisher: com.acme, com.acme.labs
    Not-Before: 2026-01-01T00:00:00Z
    Not-After: 2027-01-01T00:00:00Z
    Revoked: 2026-06-01T12:00:00Z
    -----BEGIN PUBLIC KEY-----
    …

Rules kept here:

- RFC 7468 lets any text stand before a block; only the four lines above mean something, each for the next block.
  A line that nearly is one of them is an error: a misspelt `Revoked` must not pass for a remark.
- Blocks are `PUBLIC KEY` and `CERTIFICATE`. A private key in a trust bundle is an error that says so.
- Every mistake is reported with its line, all at once.
"""

import difflib
import re
from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct, field

from oriel.errors import Finding, InvalidInput, OrielError
from oriel.names import is_reverse_domain
from oriel.signing.chains import Authority, CertificateError, is_authority, load, publishers_of, validity_of
from oriel.signing.keys import PublicKey
from oriel.signing.policy import TrustedKey, Validity, milliseconds

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_LINE = re.compile(r"([A-Za-z][A-Za-z_-]{2,30})\s*:(.*)")
_ATTRIBUTES = ("publisher", "not-before", "not-after", "revoked")


class _Block(Struct):
    """One PEM block with the attributes above it, and the line it begins at."""

    line: int = 0
    label: str = ""
    pem: str = ""
    publishers: set[str] = field(default_factory=set)
    moments: dict[str, int] = field(default_factory=dict)

    @property
    def validity(self) -> Validity:
        return Validity(
            not_before=self.moments.get("not-before", 0),
            not_after=self.moments.get("not-after"),
            revoked_at=self.moments.get("revoked"),
        )


class _Mistake(ValueError):
    pass


def read_pem(text: str) -> tuple[list[TrustedKey], list[Authority]]:
    """The keys and the authorities of a trust bundle.

    Raises:
        InvalidInput: `invalid_input`, with the line of every mistake.
    """
    findings: list[Finding] = []
    keys: list[TrustedKey] = []
    authorities: list[Authority] = []
    for block in _blocks(text, findings):
        try:
            entry = _entry(block)
        except _Mistake as mistake:
            findings.append(Finding(f"line {block.line}", str(mistake)))
        else:
            if isinstance(entry, TrustedKey):
                keys.append(entry)
            else:
                authorities.append(entry)
    if findings:
        raise InvalidInput("invalid_input", findings, subject="The trust bundle")
    return keys, authorities


def _blocks(text: str, findings: list[Finding]) -> Iterator[_Block]:
    block = _Block()
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        if begin := _BEGIN.fullmatch(line.strip()):
            block.line, block.label = number, begin[1]
            end = f"-----END {block.label}-----"
            body = [line.strip()]
            for _, inner in lines:
                body.append(inner.strip())
                if body[-1] == end:
                    break
            else:
                findings.append(Finding(f"line {number}", f"the block has no '{end}'"))
                return
            block.pem = "\n".join(body) + "\n"
            yield block
            block = _Block()
        else:
            try:
                _attribute(block, line.strip())
            except _Mistake as mistake:
                findings.append(Finding(f"line {number}", str(mistake)))
    if block.publishers or block.moments:
        findings.append(Finding("end", "lines that describe a key, and no block after them"))


def _attribute(block: _Block, line: str) -> None:
    match = _LINE.fullmatch(line)
    if match is None:
        return
    name, value = match[1].lower(), match[2].strip()
    if name == "publisher":
        block.publishers |= set(_publishers(value))
    elif name in _ATTRIBUTES:
        if name in block.moments:
            raise _Mistake(f"'{match[1]}' stands twice above one block")
        block.moments[name] = _moment(value)
    elif close := difflib.get_close_matches(name.replace("_", "-"), _ATTRIBUTES, n=1, cutoff=0.75):
        raise _Mistake(f"'{match[1]}' means nothing here; did you mean '{close[0].title()}'?")


def _publishers(value: str) -> Iterator[str]:
    for name in value.split(","):
        if not is_reverse_domain(name.strip()):
            raise _Mistake(f"'{name.strip()}' is not a publisher; write a reverse-domain name such as com.acme")
        yield name.strip()


def _moment(value: str) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _Mistake(f"'{value}' is not a time with a zone; write it as 2026-01-01T00:00:00Z")
    return milliseconds(moment)


def _entry(block: _Block) -> TrustedKey | Authority:
    try:
        if block.label == "PUBLIC KEY":
            return TrustedKey(PublicKey.from_pem(block.pem), frozenset(block.publishers), block.validity)
        if block.label == "CERTIFICATE":
            return _certificate(block)
    except OrielError as error:
        raise _Mistake(error.detail) from None
    if block.label.endswith("PRIVATE KEY"):
        raise _Mistake("a private key; it belongs to its owner alone. Put its public half here, and make a new key")
    raise _Mistake(f"a block of '{block.label}'; only PUBLIC KEY and CERTIFICATE belong here")


def _certificate(block: _Block) -> TrustedKey | Authority:
    try:
        certificate = load(x509.load_pem_x509_certificate(block.pem.encode()).public_bytes(Encoding.DER))
    except CertificateError as error:
        raise _Mistake(f"the certificate {error}") from None
    except ValueError:
        raise _Mistake("the certificate cannot be read") from None
    validity = block.validity.within(validity_of(certificate))
    if is_authority(certificate):
        return Authority(certificate, frozenset(block.publishers), validity)
    publishers = block.publishers | publishers_of(certificate)
    return TrustedKey(PublicKey(certificate.public_key()), frozenset(publishers), validity)

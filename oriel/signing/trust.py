"""Whom to believe: the operator's trust bundle and the registered keys, under one policy.

Rules kept here:

- Deny by default: an unknown key is not believed, and a key bound to no publisher speaks for nobody.
- A revoked key is not believed, whatever it signed and when: a signature carries no time that could be trusted.
  Where more than one thing is said of a key, one revocation is enough.
- A key that is named here is judged by what is said here; only another one may come with certificates of its own.
- A bad signature by a known key condemns the envelope. Signatures by other keys neither help nor harm.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from oriel.errors import OrielError
from oriel.signing.dsse import Envelope, Signature
from oriel.signing.keys import PublicKey
from oriel.signing.policy import ChainError, TrustedKey, Validity, merged

if TYPE_CHECKING:  # certificates are slow to import, and the platform's own keys have none
    from oriel.signing.chains import Authority


class TrustBundle:
    """Keys and authorities. Immutable; the empty one believes nobody."""

    def __init__(self, keys: Iterable[TrustedKey] = (), authorities: "Iterable[Authority]" = ()) -> None:
        self._keys = merged(keys)
        self._authorities = tuple(authorities)
        self._revocations = _revocations(self._keys, self._authorities)

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """Read `SIGNING_TRUST_BUNDLE` (`oriel.signing.pem` describes the form); empty text is the empty bundle.

        Raises:
            InvalidInput: `invalid_input`, with the line of every mistake.
        """
        if not text:
            return cls()
        from oriel.signing.pem import read_pem  # brings certificates along

        return cls(*read_pem(text))

    @classmethod
    def for_publisher(cls, publisher: str, keys: Iterable[PublicKey]) -> Self:
        """Keys that speak for one publisher, without end: the platform's own."""
        return cls(TrustedKey(key, frozenset({publisher})) for key in keys)

    def with_keys(self, keys: Iterable[TrustedKey]) -> Self:
        """This bundle and further keys, such as those that the registry holds. A revocation on either side counts."""
        own = (key for entries in self._keys.values() for key in entries)
        return type(self)((*own, *keys), self._authorities)

    def is_revoked(self, key_id: str, now: int) -> bool:
        """Whether the key was revoked by `now` (Unix milliseconds). A key that is not known is not revoked."""
        return self._revocation(key_id, now) is not None

    def signer(self, envelope: Envelope, publisher: str, now: int) -> PublicKey:
        """The key that signed the envelope and may speak for `publisher` at `now` (Unix milliseconds).

        Raises:
            OrielError: `signature_invalid` where a signature does not fit, `signature_untrusted` where no signer may
                speak for the publisher; the detail names the reason for each.
        """
        message, believed, reasons = envelope.signed_bytes(), [], []
        for signature in envelope.signatures:
            try:
                entries = self._entries(signature, now)
            except ChainError as error:
                reasons.append(f"The key {signature.keyid} {error}")
                continue
            key = entries[0].public_key
            if not key.verifies(signature.sig, message):
                raise OrielError("signature_invalid", f"The signature by {key.key_id} does not fit the statement.")
            if refusal := self._revocation(key.key_id, now) or _refusal(entries, publisher, now):
                reasons.append(f"The key {key.key_id} {refusal}")
            else:
                believed.append(key)
        if not believed:
            raise OrielError("signature_untrusted", f"{'; '.join(reasons)}.")
        return believed[0]

    def _entries(self, signature: Signature, now: int) -> tuple[TrustedKey, ...]:
        """All that is said of the signature's key; at least one thing."""
        if known := self._keys.get(signature.keyid):
            return known
        if not signature.x5c:
            raise ChainError("is not in the trust bundle and not registered")
        from oriel.signing.chains import certified

        leaf, above = certified(signature.x5c, self._authorities, now)
        if leaf.key_id != signature.keyid:
            raise ChainError(f"comes with a certificate of another key, {leaf.key_id}")
        for key_id in above:
            if revocation := self._revocation(key_id, now):
                raise ChainError(f"has a chain through the key {key_id}, which {revocation}")
        return (leaf,)

    def _revocation(self, key_id: str, now: int) -> str | None:
        return Validity(revoked_at=self._revocations.get(key_id)).refusal(now)


def _revocations(keys: Mapping[str, Sequence[TrustedKey]], authorities: "Sequence[Authority]") -> dict[str, int]:
    """When each revoked key was revoked first."""
    said = [(key_id, entry.validity.revoked_at) for key_id, entries in keys.items() for entry in entries]
    said += [(authority.key_id, authority.validity.revoked_at) for authority in authorities]
    found: dict[str, int] = {}
    for key_id, moment in said:
        if moment is not None:
            found[key_id] = min(moment, found.get(key_id, moment))
    return found


def _refusal(entries: Sequence[TrustedKey], publisher: str, now: int) -> str | None:
    """Why none of what is said of a key lets it speak for `publisher`; None where something does."""
    refusals = [entry.refusal(publisher, now) for entry in entries]
    if None in refusals:
        return None
    bound = [refusal for entry, refusal in zip(entries, refusals, strict=True) if publisher in entry.publishers]
    return (bound or refusals)[0]

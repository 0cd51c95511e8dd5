"""Who signed a bundle, by the trust of this moment: the operator's bundle and the keys that publishers registered."""

from typing import TYPE_CHECKING

from oriel.provenance import signature_key
from oriel.published import Published
from oriel.signing import PublicKey, TrustBundle, TrustedKey, VerifiedSignature, verify_bundle
from oriel.signing.policy import Validity
from oriel.store.records import Version
from registry.core import Registry

if TYPE_CHECKING:
    from oriel.manifest import Manifest


class Signatures:
    """Judges signatures; publishing and installing ask the same."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def verify(self, manifest: "Manifest | Published", content_hash: str, envelope: bytes) -> VerifiedSignature:
        """The signature of a bundle of that hash.

        Raises:
            OrielError: `signature_untrusted`, `signature_invalid`, `signature_missing`.
        """
        return verify_bundle(
            envelope,
            content_hash=content_hash,
            publisher=manifest.publisher,
            name=manifest.name,
            version=manifest.version,
            trust=self._trust(manifest.publisher),
            now=self._registry.now(),
        )

    def require_trusted(self, version: Version) -> None:
        """Verify a published version's signature again: it is about to be installed. `OrielError` as `verify`."""
        envelope = self._registry.blobs.get(signature_key(version.content_hash))
        self.verify(Published.read(version.manifest), version.content_hash, envelope)

    def _trust(self, publisher: str) -> TrustBundle:
        registered = (
            TrustedKey(
                PublicKey.from_pem(key.public_key_pem),
                frozenset({key.publisher}),
                Validity(not_before=key.not_before, not_after=key.not_after, revoked_at=key.revoked_at),
            )
            for key in self._registry.store.list_publisher_keys(publisher)
        )
        return self._registry.trust.with_keys(registered)

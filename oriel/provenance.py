"""What the platform itself vouches for: the index of a bundle, the artifact of a component, the end of an audit chain.

A publisher signs the bundle. When the registry has verified it, the platform signs two statements of its own, so
that the runner checks one signature at load instead of the whole bundle again:

    bundles/sha256/<hex>/index.dsse.json                       BundleIndex: whose bundle, and which component it has
    artifacts/<fingerprint>/sha256/<component hex>.cwasm.zst   the native code
    artifacts/<fingerprint>/sha256/<component hex>.dsse.json   Artifact: this native code is that component's
    audit/<chain>/<number>.dsse.json                           Checkpoint: this was the chain's last entry

Rules kept here:

- All are DSSE envelopes over an in-toto Statement v1; the subject is the bundle, the native code, or the entry.
- The kinds have different predicate types: the envelope of one never passes for the other.
- A statement is checked against what the caller asked for (content hash; component and fingerprint), not only
  against itself: an envelope copied under another key is refused.
- A statement says nothing that changes when a step is repeated: no time, no id of a run.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from oriel.contract import CodeDigest, ContentHash, NotNegative
from oriel.errors import OrielError
from oriel.messages import Message
from oriel.signing import PublicKey, Signer, TrustBundle, sign_statement, verify_statement

INDEX_PREDICATE = "https://oriel.dev/provenance/bundle-index/v1"
ARTIFACT_PREDICATE = "https://oriel.dev/provenance/artifact/v1"
CHECKPOINT_PREDICATE = "https://oriel.dev/provenance/audit-checkpoint/v1"
CHECKPOINT_SUBJECT = "audit-entry"
INDEX_SUBJECT = "bundle.tar.zst"
ARTIFACT_SUBJECT = "component.cwasm"
PREFIX = "sha256:"
_PLATFORM = "platform"  # no publisher's name: those have a dot

Fingerprint = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")]


def bundle_folder(content_hash: str) -> str:
    """The blob prefix of a bundle, without a slash at the end."""
    return f"bundles/sha256/{content_hash.removeprefix(PREFIX)}"


def bundle_key(content_hash: str) -> str:
    return f"{bundle_folder(content_hash)}/bundle.tar.zst"


def manifest_key(content_hash: str) -> str:
    return f"{bundle_folder(content_hash)}/manifest.json"


def signature_key(content_hash: str) -> str:
    """The publisher's envelope."""
    return f"{bundle_folder(content_hash)}/signature.dsse.json"


def component_key(content_hash: str) -> str:
    return f"{bundle_folder(content_hash)}/component.wasm"


def index_key(content_hash: str) -> str:
    """The platform's envelope over the `BundleIndex`."""
    return f"{bundle_folder(content_hash)}/index.dsse.json"


def artifact_key(fingerprint: str, component_digest: str) -> str:
    return f"artifacts/{fingerprint}/sha256/{component_digest.removeprefix(PREFIX)}.cwasm.zst"


def artifact_statement_key(fingerprint: str, component_digest: str) -> str:
    """The platform's envelope over the `Artifact`."""
    return f"artifacts/{fingerprint}/sha256/{component_digest.removeprefix(PREFIX)}.dsse.json"


class _Predicate(Message, frozen=True):
    def subject(self) -> dict[str, str]:
        """What the statement is about: a file's name and its digest."""
        raise NotImplementedError


class BundleIndex(_Predicate, frozen=True):
    """What the runner needs to know of a verified bundle.

    Attributes:
        interfaces: the interfaces that the component imports, as it names them (`oriel:extension/storage@1.0.0`).
        capabilities: those that the manifest asks for; an import outside of them was refused at publish.
        handler: the way into the component: Oriel's own, that of `alga:extension`, or `wasi:http/incoming-handler`.
    """

    content_hash: ContentHash
    extension_id: str
    version: str
    publisher: str
    signer_key_id: str
    component_digest: ContentHash
    interfaces: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    handler: Literal["oriel", "alga", "wasi-http"] = "oriel"

    def subject(self) -> dict[str, str]:
        return {INDEX_SUBJECT: self.content_hash}


class Artifact(_Predicate, frozen=True):
    """Native code and where it comes from. `digest` and `size` (bytes) are of the unpacked code.

    Unpack no more than `size` bytes, and map nothing whose digest is another.
    """

    component_digest: ContentHash
    fingerprint: Fingerprint
    digest: CodeDigest
    size: NotNegative

    def subject(self) -> dict[str, str]:
        return {ARTIFACT_SUBJECT: self.digest}


class Checkpoint(_Predicate, frozen=True):
    """The last entry of an audit chain (`oriel.store.audit`) at some moment; `tenant_id` is None for the platform's."""

    tenant_id: str | None
    sequence: Annotated[int, Meta(ge=1)]
    digest: ContentHash

    def subject(self) -> dict[str, str]:
        return {CHECKPOINT_SUBJECT: self.digest}


P = TypeVar("P", bound=_Predicate)


def sign_index(index: BundleIndex, key: Signer) -> bytes:
    """The envelope for `index_key`."""
    return sign_statement(index.subject(), INDEX_PREDICATE, index.to_plain(), key)


def sign_checkpoint(checkpoint: Checkpoint, key: Signer) -> bytes:
    """The envelope to keep."""
    return sign_statement(checkpoint.subject(), CHECKPOINT_PREDICATE, checkpoint.to_plain(), key)


def verify_checkpoint(envelope: bytes, *, keys: Sequence[PublicKey]) -> Checkpoint:
    """The checkpoint in `envelope`, if one of the platform's `keys` signed it.

    Raises:
        OrielError: `signature_invalid` or `signature_untrusted`.
    """
    return _verify(envelope, Checkpoint, CHECKPOINT_PREDICATE, keys)


def verify_index(envelope: bytes, *, content_hash: str, keys: Sequence[PublicKey]) -> BundleIndex:
    """The index in `envelope`, if one of the platform's `keys` signed it for this bundle.

    Raises:
        OrielError: `signature_invalid` or `signature_untrusted`.
    """
    index = _verify(envelope, BundleIndex, INDEX_PREDICATE, keys)
    if index.content_hash != content_hash:
        raise OrielError("signature_invalid", "The index is another bundle's.")
    return index


def sign_artifact(artifact: Artifact, key: Signer) -> bytes:
    """The envelope for `artifact_statement_key`."""
    return sign_statement(artifact.subject(), ARTIFACT_PREDICATE, artifact.to_plain(), key)


def verify_artifact(envelope: bytes, *, component_digest: str, fingerprint: str, keys: Sequence[PublicKey]) -> Artifact:
    """The artifact in `envelope`, if one of the platform's `keys` signed it for this component and engine.

    Raises:
        OrielError: `signature_invalid` or `signature_untrusted`.
    """
    artifact = _verify(envelope, Artifact, ARTIFACT_PREDICATE, keys)
    if (artifact.component_digest, artifact.fingerprint) != (component_digest, fingerprint):
        raise OrielError("signature_invalid", "The artifact is another component's, or for another engine.")
    return artifact


def _verify(envelope: bytes, kind: type[P], predicate_type: str, keys: Sequence[PublicKey]) -> P:
    """The predicate of a statement that one of `keys` signed, about a subject that the predicate names itself."""
    trust = TrustBundle.for_publisher(_PLATFORM, keys)
    statement = verify_statement(envelope, predicate_type=predicate_type, publisher=_PLATFORM, trust=trust)
    try:
        predicate = kind.convert(dict(statement.predicate))
    except msgspec.ValidationError:
        raise OrielError("signature_invalid", "The platform's statement is of another form.") from None
    if dict(statement.subjects) != predicate.subject():
        raise OrielError("signature_invalid", "The platform's statement contradicts itself.")
    return predicate

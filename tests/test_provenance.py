"""The platform's own statements: what they bind, and what does not pass for them."""

import pytest

from oriel.errors import OrielError
from oriel.provenance import (
    INDEX_PREDICATE,
    INDEX_SUBJECT,
    Artifact,
    BundleIndex,
    sign_artifact,
    sign_index,
    verify_artifact,
    verify_index,
)
from oriel.signing import generate_key, sign_statement

KEY, OTHER = generate_key(), generate_key()
HASH, DIGEST, CODE = "sha256:" + "a" * 64, "sha256:" + "b" * 64, "blake3:" + "c" * 64
INDEX = BundleIndex(
    content_hash=HASH,
    extension_id="com.acme.notes",
    version="1.0.0",
    publisher="com.acme",
    signer_key_id="sha256:k",
    component_digest=DIGEST,
    interfaces=("oriel:extension/log@1.0.0",),
    capabilities=("storage.kv",),
)
ARTIFACT = Artifact(component_digest=DIGEST, fingerprint="f1", digest=CODE, size=10)


def index(envelope, content_hash=HASH, key=KEY):
    return verify_index(envelope, content_hash=content_hash, keys=[key.public])


def artifact(envelope, component_digest=DIGEST, fingerprint="f1", key=KEY):
    return verify_artifact(envelope, component_digest=component_digest, fingerprint=fingerprint, keys=[key.public])


def refused(call, *args, **kwargs):
    with pytest.raises(OrielError) as error:
        call(*args, **kwargs)
    return error.value.code


def test_what_was_signed_is_what_is_read():
    assert index(sign_index(INDEX, KEY)) == INDEX
    assert artifact(sign_artifact(ARTIFACT, KEY)) == ARTIFACT


def test_a_repeated_step_signs_the_same_bytes():
    assert sign_index(INDEX, KEY) == sign_index(INDEX, KEY)
    assert sign_artifact(ARTIFACT, KEY) == sign_artifact(ARTIFACT, KEY)


def test_an_envelope_under_another_key_of_the_blob_store_is_refused():
    assert refused(index, sign_index(INDEX, KEY), content_hash=DIGEST) == "signature_invalid"
    assert refused(artifact, sign_artifact(ARTIFACT, KEY), component_digest=HASH) == "signature_invalid"
    assert refused(artifact, sign_artifact(ARTIFACT, KEY), fingerprint="f2") == "signature_invalid"


def test_one_kind_of_statement_never_passes_for_the_other():
    assert refused(artifact, sign_index(INDEX, KEY)) == "signature_invalid"
    assert refused(index, sign_artifact(ARTIFACT, KEY)) == "signature_invalid"


def test_another_key_than_the_platforms_is_not_believed():
    assert refused(index, sign_index(INDEX, OTHER)) == "signature_untrusted"
    assert refused(index, sign_index(INDEX, KEY), key=OTHER) == "signature_untrusted"


def test_a_retired_key_is_believed_where_it_is_named():
    envelope = sign_index(INDEX, OTHER)
    assert verify_index(envelope, content_hash=HASH, keys=[KEY.public, OTHER.public]) == INDEX


def test_a_statement_that_contradicts_itself_is_refused():
    predicate = INDEX.to_plain()
    for subjects in ({INDEX_SUBJECT: DIGEST}, {"other": HASH}, {INDEX_SUBJECT: HASH, "more": DIGEST}):
        assert refused(index, sign_statement(subjects, INDEX_PREDICATE, predicate, KEY)) == "signature_invalid"
    for bad in ({**predicate, "more": 1}, {**predicate, "component_digest": "x"}):
        assert refused(index, sign_statement(INDEX.subject(), INDEX_PREDICATE, bad, KEY)) == "signature_invalid"


@pytest.mark.parametrize("place", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_flipped_byte_is_seen(place):
    envelope = bytearray(sign_artifact(ARTIFACT, KEY))
    envelope[int(place * len(envelope))] ^= 1
    assert refused(artifact, bytes(envelope)) in {"signature_invalid", "signature_untrusted", "signature_missing"}

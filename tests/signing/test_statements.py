import base64
import json

import pytest

from oriel.errors import OrielError
from oriel.signing import (
    BUNDLE_PREDICATE,
    KEY_KINDS,
    MAX_ENVELOPE_BYTES,
    PAYLOAD_TYPE,
    STATEMENT_TYPE,
    TrustBundle,
    generate_key,
    pae,
    sign_bundle,
    sign_statement,
    verify_bundle,
    verify_statement,
)

HASH = "sha256:" + "ab" * 32
CLAIMS = {"name": "com.acme.reports", "version": "1.2.0", "publisher": "com.acme"}
KEYS = {kind: generate_key(kind) for kind in KEY_KINDS}
KEY = KEYS["ed25519"]
TRUST = TrustBundle.for_publisher("com.acme", [key.public for key in KEYS.values()])
ENVELOPE = sign_bundle(HASH, KEY, **CLAIMS)


def verify(envelope, *, trust=TRUST, content_hash=HASH, **claims):
    return verify_bundle(envelope, content_hash=content_hash, trust=trust, now=0, **{**CLAIMS, **claims})


def refusal(envelope, **options):
    with pytest.raises(OrielError) as caught:
        verify(envelope, **options)
    return caught.value.code, caught.value.detail


def opened(envelope=ENVELOPE):
    return json.loads(envelope)


def closed(document):
    return json.dumps(document).encode()


def payload_of(envelope=ENVELOPE):
    return json.loads(base64.b64decode(opened(envelope)["payload"]))


def signed(payload, *, payload_type=PAYLOAD_TYPE, claimed_type=None, key=KEY):
    """An envelope with any payload, properly signed."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signature = {"keyid": key.key_id, "sig": base64.b64encode(key.sign(pae(payload_type, raw))).decode()}
    return closed(
        {
            "payloadType": claimed_type or payload_type,
            "payload": base64.b64encode(raw).decode(),
            "signatures": [signature],
        }
    )


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_a_signed_bundle_is_believed(kind):
    verified = verify(sign_bundle(HASH, KEYS[kind], **CLAIMS))
    assert (verified.key_id, verified.publisher, verified.content_hash) == (KEYS[kind].key_id, "com.acme", HASH)


def test_the_pre_authentication_encoding_is_the_specifications():
    # The example of the DSSE specification's protocol page.
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_in_the_encoding_count_bytes():
    assert pae("é", b"\xc3") == b"DSSEv1 2 \xc3\xa9 1 \xc3"


def test_the_payload_is_an_in_toto_statement():
    assert payload_of() == {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "bundle.tar.zst", "digest": {"sha256": "ab" * 32}}],
        "predicateType": BUNDLE_PREDICATE,
        "predicate": CLAIMS,
    }


def test_signing_twice_gives_one_envelope():
    assert sign_bundle(HASH, KEY, **CLAIMS) == ENVELOPE


@pytest.mark.parametrize("bit", range(8))
def test_one_bit_flipped_anywhere_is_refused(bit):
    for position in range(len(ENVELOPE)):
        changed = bytearray(ENVELOPE)
        changed[position] ^= 1 << bit
        assert refusal(bytes(changed))[0] in {"signature_invalid", "signature_untrusted", "signature_missing"}


def test_an_envelope_cut_anywhere_is_refused():
    for length in range(len(ENVELOPE)):
        assert refusal(ENVELOPE[:length])


def test_no_envelope_is_a_missing_signature():
    assert refusal(None)[0] == "signature_missing"
    assert refusal(b"")[0] == "signature_missing"


def test_an_envelope_without_signatures_is_a_missing_signature():
    assert refusal(closed({**opened(), "signatures": []}))[0] == "signature_missing"


def test_another_bundles_envelope_is_refused():
    code, detail = refusal(ENVELOPE, content_hash="sha256:" + "cd" * 32)
    assert code == "signature_invalid"
    assert detail == f"The signature is for another bundle; this one is sha256:{'cd' * 32}."


@pytest.mark.parametrize("claim", ["name", "version"])
def test_an_envelope_for_another_name_or_version_is_refused(claim):
    code, detail = refusal(ENVELOPE, **{claim: "other"})
    assert code == "signature_invalid"
    assert detail == f"The signature is for {claim} '{CLAIMS[claim]}'; the manifest says 'other'."


def test_an_envelope_for_another_publisher_is_refused():
    envelope = sign_bundle(HASH, KEY, **{**CLAIMS, "publisher": "com.other"})
    assert refusal(envelope) == (
        "signature_invalid",
        "The signature is for publisher 'com.other'; the manifest says 'com.acme'.",
    )


@pytest.mark.parametrize("subjects", [{"a": HASH, "b": HASH}, {"a": "sha256:" + "cd" * 32, "b": HASH}])
def test_a_bundles_statement_has_one_subject(subjects):
    assert refusal(sign_statement(subjects, BUNDLE_PREDICATE, CLAIMS, KEY))[0] == "signature_invalid"


def test_a_statement_of_another_kind_is_refused():
    envelope = sign_statement({"bundle.tar.zst": HASH}, "https://oriel.dev/provenance/artifact/v1", CLAIMS, KEY)
    code, detail = refusal(envelope)
    assert code == "signature_invalid"
    assert "is a 'https://oriel.dev/provenance/artifact/v1', not" in detail


def test_another_payload_type_is_refused_although_it_is_signed():
    code, detail = refusal(signed(payload_of(), payload_type="application/json"))
    assert (code, detail) == (
        "signature_invalid",
        "The envelope's payloadType is 'application/json', not 'application/vnd.in-toto+json'.",
    )


def test_the_payload_type_is_signed_too():
    envelope = signed(payload_of(), payload_type="application/json", claimed_type=PAYLOAD_TYPE)
    assert refusal(envelope) == ("signature_invalid", f"The signature by {KEY.key_id} does not fit the statement.")


def test_a_signature_over_the_bare_payload_is_refused():
    document = opened()
    bare = KEY.sign(base64.b64decode(document["payload"]))
    document["signatures"][0]["sig"] = base64.b64encode(bare).decode()
    assert refusal(closed(document))[0] == "signature_invalid"


@pytest.mark.parametrize(
    "payload",
    [b"", b"not json", b"[]", {}, {"_type": STATEMENT_TYPE}, b'{"_type": 1, "_type": 2}', b"{" * 1_000],
)
def test_a_signed_payload_that_is_no_statement_is_refused(payload):
    assert refusal(signed(payload))[0] == "signature_invalid"


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"subject": []},
        {"subject": [{"name": "bundle.tar.zst", "digest": {"sha512": "ab" * 64}}]},
        {"subject": [{"name": "bundle.tar.zst", "digest": {"sha256": "AB" * 32}}]},
        {"predicate": None},
        {"predicate": {}},
        {"extra": 1},
    ],
)
def test_a_signed_statement_of_another_form_is_refused(change):
    assert refusal(signed({**payload_of(), **change}))[0] == "signature_invalid"


@pytest.mark.parametrize("name", ["payload", "sig"])
@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text.rstrip("="),
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:8] + "\n" + text[8:],
        lambda text: text[:8] + "====" + text[8:],
        lambda text: base64.urlsafe_b64encode(base64.b64decode(text)).decode().replace("A", "-", 1),
        lambda text: base64.b64decode(text).hex(),
        lambda text: text[:8] + "\u200b" + text[8:],
        lambda _: "",
        lambda _: None,
        lambda text: [text],
    ],
)
def test_base64_has_one_spelling(name, spell):
    # A payload of 901 bytes ends in padding; one of a full group would not.
    document = opened(signed(json.dumps(payload_of()).encode().ljust(901)))
    place = document if name == "payload" else document["signatures"][0]
    assert verify(closed(document))
    place[name] = spell(place[name])
    assert refusal(closed(document))[0] == "signature_invalid"


def test_stray_bits_in_base64_are_refused():
    document = opened()
    signature = document["signatures"][0]["sig"]
    assert signature.endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = alphabet[alphabet.index(signature[-3]) + 1]
    document["signatures"][0]["sig"] = signature[:-3] + stray + "=="
    assert "one base64 form" in refusal(closed(document))[1]


def test_a_huge_envelope_is_refused_before_it_is_parsed():
    code, detail = refusal(b'{"payload":"' + b"A" * MAX_ENVELOPE_BYTES)
    assert code == "signature_invalid"
    assert "at most 65,536" in detail


def test_an_envelope_of_deep_nesting_is_refused():
    assert refusal(b"[" * 60_000)[0] == "signature_invalid"


def test_duplicate_keys_are_refused():
    twice = ENVELOPE.replace(b'"payloadType"', b'"payload":"e30=","payloadType"')
    assert "'payload' stands twice" in refusal(twice)[1]


@pytest.mark.parametrize("where", ["envelope", "signature"])
def test_an_unknown_key_is_refused(where):
    document = opened()
    (document if where == "envelope" else document["signatures"][0])["alg"] = "none"
    assert refusal(closed(document))[0] == "signature_invalid"


def test_a_signature_without_its_key_id_is_refused():
    document = opened()
    del document["signatures"][0]["keyid"]
    assert refusal(closed(document))[0] == "signature_invalid"


@pytest.mark.parametrize("key_id", ["", "../../etc/passwd", "sha256:" + "AB" * 32, "sha256:", "x" * 10_000, None, 1])
def test_a_strange_key_id_is_refused(key_id):
    document = opened()
    document["signatures"][0]["keyid"] = key_id
    assert refusal(closed(document))[0] == "signature_invalid"


def test_nine_signatures_are_too_many():
    document = opened()
    document["signatures"] = [{**document["signatures"][0], "keyid": f"sha256:{number:064x}"} for number in range(9)]
    assert refusal(closed(document))[0] == "signature_invalid"


def test_the_same_key_signs_once():
    document = opened()
    document["signatures"] *= 2
    assert refusal(closed(document)) == ("signature_invalid", "The envelope holds two signatures of one key.")


def test_of_two_signatures_a_bad_one_condemns_the_envelope():
    document = opened()
    bad = {"keyid": KEYS["rsa-pss"].key_id, "sig": document["signatures"][0]["sig"]}
    for signatures in ([bad, *document["signatures"]], [*document["signatures"], bad]):
        assert refusal(closed({**document, "signatures": signatures}))[0] == "signature_invalid"


def test_a_second_signature_by_a_stranger_neither_helps_nor_harms():
    stranger = opened(sign_bundle(HASH, generate_key(), **CLAIMS))["signatures"]
    document = opened()
    both = closed({**document, "signatures": [*stranger, *document["signatures"]]})
    assert verify(both).key_id == KEY.key_id
    assert refusal(closed({**document, "signatures": stranger}))[0] == "signature_untrusted"


def test_one_keys_signature_does_not_pass_for_another_keys():
    document = opened()
    document["signatures"][0]["keyid"] = KEYS["ecdsa-p256"].key_id
    assert refusal(closed(document))[0] == "signature_invalid"


def test_the_platforms_own_statements_carry_any_predicate():
    envelope = sign_statement({"a": HASH, "b": HASH}, "https://example.org/x/v1", {"n": [1, None]}, KEY)
    statement = verify_statement(
        envelope, predicate_type="https://example.org/x/v1", publisher="com.acme", trust=TRUST, now=0
    )
    assert statement.subjects == {"a": HASH, "b": HASH}
    assert statement.predicate == {"n": [1, None]}
    assert statement.key_id == KEY.key_id

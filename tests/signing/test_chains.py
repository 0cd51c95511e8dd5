import json
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from oriel.errors import InvalidInput, OrielError
from oriel.signing import TrustBundle, TrustedKey, Validity, generate_key, sign_bundle, verify_bundle
from tests.signing.certificates import DAY, NOW_MS, issue, usage

HASH = "sha256:" + "ab" * 32
CLAIMS = {"name": "com.acme.reports", "version": "1.2.0", "publisher": "com.acme"}
ROOT = issue("root", ca=True)
LEAF = issue("leaf", ROOT, publishers=["com.acme"])


class Foreign:
    """A key that `SigningKey` does not take."""

    kind = "foreign"

    def __init__(self, key):
        self._key = key
        self.public = SimpleNamespace(_key=key.public_key())


def signed(leaf, *above):
    return sign_bundle(HASH, leaf.key, **CLAIMS, certificates=[leaf.der, *(entity.der for entity in above)])


def verify(envelope, trust=ROOT.pem, now=NOW_MS):
    bundle = TrustBundle.from_pem(trust) if isinstance(trust, str) else trust
    return verify_bundle(envelope, content_hash=HASH, trust=bundle, now=now, **CLAIMS)


def refusal(envelope, trust=ROOT.pem, now=NOW_MS):
    with pytest.raises(OrielError) as caught:
        verify(envelope, trust, now)
    assert caught.value.code == "signature_untrusted"
    return caught.value.detail.split(" ", 3)[3]


def test_a_certificate_of_a_trusted_authority_binds_its_key():
    assert verify(signed(LEAF)).key_id == LEAF.key.key_id


@pytest.mark.parametrize("kind", ["ecdsa-p256", "rsa-pss"])
def test_authorities_of_every_kind_are_taken(kind):
    root = issue("root", ca=True, key=generate_key(kind))
    leaf = issue("leaf", root, publishers=["com.acme"], key=generate_key(kind))
    assert verify(signed(leaf), root.pem)


def test_a_chain_may_lead_over_intermediates():
    upper = issue("upper", ROOT, ca=True, path_length=1)
    lower = issue("lower", upper, ca=True, path_length=0)
    leaf = issue("leaf", lower, publishers=["com.acme"])
    assert verify(signed(leaf, lower, upper))


def test_a_chain_that_does_not_end_in_the_trust_bundle_is_refused():
    stranger = issue("stranger", ca=True)
    leaf = issue("leaf", stranger, publishers=["com.acme"])
    expected = "has a chain that does not end in the trust bundle."
    assert refusal(signed(leaf)) == expected
    assert refusal(signed(leaf, stranger)) == expected


def test_an_authority_of_the_same_name_is_not_the_same_authority():
    imposter = issue("root", ca=True)
    leaf = issue("leaf", imposter, publishers=["com.acme"])
    assert "was not issued by the next one" in refusal(signed(leaf))
    assert verify(signed(leaf), ROOT.pem + imposter.pem)


def test_certificates_come_in_order_and_none_is_left_over():
    middle = issue("middle", ROOT, ca=True)
    leaf = issue("leaf", middle, publishers=["com.acme"])
    assert refusal(signed(leaf))
    assert refusal(signed(leaf, middle, LEAF))
    assert refusal(signed(LEAF, middle))
    reordered = sign_bundle(HASH, leaf.key, **CLAIMS, certificates=[middle.der, leaf.der])
    assert "certificate of an authority" in refusal(reordered)


def test_a_leaf_is_no_authority():
    evil = issue("evil", LEAF, publishers=["com.acme"])
    assert "an issuer that is no authority" in refusal(signed(evil, LEAF))
    bare = issue("bare", ROOT, ca=None, publishers=["com.acme"])
    assert "an issuer that is no authority" in refusal(signed(issue("evil", bare, publishers=["com.acme"]), bare))


def test_an_authority_does_not_sign_bundles():
    assert "certificate of an authority" in refusal(signed(issue("sub", ROOT, ca=True, publishers=["com.acme"])))


def test_a_path_is_no_longer_than_an_authority_allows():
    root = issue("root", ca=True, path_length=0)
    middle = issue("middle", root, ca=True)
    leaf = issue("leaf", middle, publishers=["com.acme"])
    assert "path length of 0" in refusal(signed(leaf, middle), root.pem)
    assert verify(signed(issue("leaf", root, publishers=["com.acme"])), root.pem)


def test_an_authority_must_be_allowed_to_sign_certificates():
    root = issue("root", ca=True, extensions=[(usage(crl_sign=True), True)])
    leaf = issue("leaf", root, publishers=["com.acme"])
    assert "does not allow certificates" in refusal(signed(leaf), root.pem)


@pytest.mark.parametrize(
    ("extension", "why"),
    [
        (usage(key_encipherment=True), "does not allow signatures"),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), "not for signing code"),
    ],
)
def test_a_leaf_for_other_purposes_is_refused(extension, why):
    assert why in refusal(signed(issue("leaf", ROOT, publishers=["com.acme"], extensions=[(extension, False)])))


def test_a_leaf_for_signing_code_is_taken():
    purposes = [
        (usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), True),
    ]
    assert verify(signed(issue("leaf", ROOT, publishers=["com.acme"], extensions=purposes)))


def test_a_critical_extension_that_is_not_understood_is_refused():
    limits = x509.NameConstraints([x509.UniformResourceIdentifier("com.other")], None)
    middle = issue("middle", ROOT, ca=True, extensions=[(limits, True)])
    assert "2.5.29.30" in refusal(signed(issue("leaf", middle, publishers=["com.acme"]), middle))


def test_a_critical_extension_of_an_authority_counts_too():
    limits = x509.NameConstraints([x509.UniformResourceIdentifier("com.other")], None)
    root = issue("root", ca=True, extensions=[(limits, True)])
    with pytest.raises(InvalidInput, match=r"line 1: the certificate has a critical extension .* \(2\.5\.29\.30\)"):
        TrustBundle.from_pem(root.pem)


@pytest.mark.parametrize("broken", ["root", "middle", "leaf"])
@pytest.mark.parametrize(
    ("window", "why"),
    [
        ({"start": -3 * DAY, "end": -DAY}, "expired at 2026-05-31T00:00:01Z"),
        ({"start": DAY, "end": 2 * DAY}, "is not valid before 2026-06-02"),
    ],
)
def test_every_certificate_of_a_chain_is_valid_now(broken, window, why):
    windows = {broken: window}
    root = issue("root", ca=True, **windows.get("root", {}))
    middle = issue("middle", root, ca=True, **windows.get("middle", {}))
    leaf = issue("leaf", middle, publishers=["com.acme"], **windows.get("leaf", {}))
    detail = refusal(signed(leaf, middle), root.pem)
    assert f"'CN={broken}' {why}" in detail


def test_a_weak_hash_in_a_chain_is_refused():
    root = issue("root", ca=True, algorithm=hashes.SHA256())
    leaf = issue("leaf", root, publishers=["com.acme"], algorithm=hashes.SHA224())
    assert "weak hash" in refusal(signed(leaf), root.pem)


def test_an_authority_may_have_a_stronger_key_than_a_signer():
    root = issue("root", ca=True, key=Foreign(ec.generate_private_key(ec.SECP384R1())), algorithm=hashes.SHA384())
    leaf = issue("leaf", root, publishers=["com.acme"], key=generate_key("ecdsa-p256"), algorithm=hashes.SHA384())
    assert verify(signed(leaf), root.pem)


def test_an_authority_with_a_weak_key_is_refused():
    middle = issue("middle", ROOT, ca=True, key=Foreign(rsa.generate_private_key(65537, 1024)))
    leaf = issue("leaf", middle, publishers=["com.acme"], algorithm=hashes.SHA256())
    assert "it has a weak key" in refusal(signed(leaf, middle))


def test_a_certificate_without_publisher_speaks_for_nobody():
    assert "bound to no publisher" in refusal(signed(issue("leaf", ROOT)))


def test_a_certificate_for_another_publisher_is_refused():
    assert refusal(signed(issue("leaf", ROOT, publishers=["com.other"]))) == "speaks for com.other, not for com.acme."


@pytest.mark.parametrize(
    ("limit", "allowed"), [("com.acme", True), ("com.acme.labs", False), ("com.other", False), ("com.acm", False)]
)
def test_an_authority_may_be_limited_to_publishers(limit, allowed):
    trust = f"Publisher: {limit}\n{ROOT.pem}"
    if allowed:
        assert verify(signed(LEAF), trust)
    else:
        assert "for which its authority may not vouch" in refusal(signed(LEAF), trust)


def test_an_authoritys_limit_covers_the_publishers_below():
    leaf = issue("leaf", ROOT, publishers=["com.acme", "com.acme.labs"])
    assert verify(signed(leaf), f"Publisher: com.acme\n{ROOT.pem}")


def test_the_certificate_is_the_signing_keys():
    key = generate_key()
    envelope = sign_bundle(HASH, key, **CLAIMS, certificates=[LEAF.der])
    assert "comes with a certificate of another key" in refusal(envelope)


def test_a_revoked_authority_certifies_nobody():
    assert "was revoked at" in refusal(signed(LEAF), f"Revoked: 2026-01-01T00:00:00Z\n{ROOT.pem}")


def test_a_revoked_leaf_is_not_believed_although_its_chain_is_good():
    assert "was revoked at" in refusal(signed(LEAF), f"{ROOT.pem}Revoked: 2026-01-01T00:00:00Z\n{LEAF.pem}")


def test_a_revoked_intermediate_certifies_nobody():
    middle = issue("middle", ROOT, ca=True)
    leaf = issue("leaf", middle, publishers=["com.acme"])
    gone = TrustedKey(middle.key.public, frozenset(), Validity(revoked_at=NOW_MS))
    trust = TrustBundle.from_pem(ROOT.pem)
    assert verify(signed(leaf, middle), trust)
    assert "through the key" in refusal(signed(leaf, middle), trust.with_keys([gone]))


def test_a_revoked_intermediate_of_the_trust_bundle_certifies_nobody():
    middle = issue("middle", ROOT, ca=True)
    leaf = issue("leaf", middle, publishers=["com.acme"])
    trust = f"{ROOT.pem}Revoked: 2026-01-01T00:00:00Z\n{middle.pem}"
    assert "revoked" in refusal(signed(leaf, middle), trust)


def test_a_leaf_certificate_in_the_trust_bundle_binds_its_key():
    envelope = sign_bundle(HASH, LEAF.key, **CLAIMS)
    assert verify(envelope, LEAF.pem)
    assert "expired" in refusal(envelope, LEAF.pem, NOW_MS + 2 * 86_400_000)
    plain = issue("plain")
    envelope = sign_bundle(HASH, plain.key, **CLAIMS)
    assert "bound to no publisher" in refusal(envelope, plain.pem)
    assert verify(envelope, f"Publisher: com.acme\n{plain.pem}")


def test_a_line_may_shorten_a_certificates_window_and_not_extend_it():
    envelope = sign_bundle(HASH, LEAF.key, **CLAIMS)
    assert "expired at 2026-05-31" in refusal(envelope, f"Not-After: 2026-05-31T12:00:00Z\n{LEAF.pem}")
    late = f"Not-After: 2030-01-01T00:00:00Z\n{LEAF.pem}"
    assert "expired at 2026-06-02" in refusal(envelope, late, NOW_MS + 5 * 86_400_000)


@pytest.mark.parametrize("der", [b"x", b"0\x82", LEAF.der + b"\0", LEAF.der[:-1]])
def test_a_certificate_that_cannot_be_read_is_refused(der):
    envelope = sign_bundle(HASH, LEAF.key, **CLAIMS, certificates=[der])
    assert refusal(envelope) == "comes with a certificate that is refused: it cannot be read."


def test_a_certificate_with_one_byte_changed_is_refused():
    for position in range(0, len(LEAF.der), 3):
        changed = bytearray(LEAF.der)
        changed[position] ^= 0x01
        envelope = sign_bundle(HASH, LEAF.key, **CLAIMS, certificates=[bytes(changed)])
        assert refusal(envelope)


def test_five_certificates_are_too_many():
    document = json.loads(signed(LEAF))
    document["signatures"][0]["x5c"] *= 5
    with pytest.raises(OrielError) as caught:
        verify(json.dumps(document).encode())
    assert caught.value.code == "signature_invalid"


def test_a_certificate_with_a_key_of_another_kind_is_refused():
    foreign = issue("leaf", ROOT, publishers=["com.acme"], key=Foreign(ec.generate_private_key(ec.SECP384R1())))
    envelope = sign_bundle(HASH, LEAF.key, **CLAIMS, certificates=[foreign.der])
    assert "of an unknown kind" in refusal(envelope)

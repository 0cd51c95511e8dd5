from datetime import UTC, datetime

import pytest

from oriel.errors import InvalidInput, OrielError
from oriel.signing import TrustBundle, TrustedKey, Validity, generate_key, sign_bundle, verify_bundle

HASH = "sha256:" + "ab" * 32
CLAIMS = {"name": "com.acme.reports", "version": "1.2.0", "publisher": "com.acme"}
KEY = generate_key()
ENVELOPE = sign_bundle(HASH, KEY, **CLAIMS)
PEM = KEY.public.to_pem()


def ms(*moment):
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


NOW = ms(2026, 6, 1)


def verify(trust, now=NOW):
    bundle = TrustBundle.from_pem(trust) if isinstance(trust, str) else trust
    return verify_bundle(ENVELOPE, content_hash=HASH, trust=bundle, now=now, **CLAIMS)


def refusal(trust, now=NOW):
    with pytest.raises(OrielError) as caught:
        verify(trust, now)
    assert caught.value.code == "signature_untrusted"
    return caught.value.detail.replace(KEY.key_id, "KEY")


def mistakes(pem):
    with pytest.raises(InvalidInput) as caught:
        TrustBundle.from_pem(pem)
    assert caught.value.code == "invalid_input"
    return {finding.at: finding.message for finding in caught.value.findings}


def registered(*publishers, **validity):
    return TrustedKey(KEY.public, frozenset(publishers), Validity(**validity))


def test_a_bound_key_is_believed():
    assert verify(f"Publisher: com.acme\n{PEM}").key_id == KEY.key_id


def test_a_good_signature_by_an_untrusted_key_is_refused():
    assert refusal(f"Publisher: com.acme\n{generate_key().public.to_pem()}") == (
        "The key KEY is not in the trust bundle and not registered."
    )


def test_an_empty_trust_bundle_believes_nobody():
    assert refusal("")


def test_a_key_bound_to_no_publisher_speaks_for_nobody():
    assert refusal(PEM) == (
        "The key KEY is bound to no publisher, so it speaks for nobody: register it for the publisher, "
        "or write 'Publisher: com.acme' above its block in the trust bundle."
    )


@pytest.mark.parametrize("publisher", ["com.other", "com", "com.acme.reports", "com.acme-evil"])
def test_a_key_of_another_publisher_is_refused(publisher):
    if publisher == "com":
        assert mistakes(f"Publisher: com\n{PEM}")
    else:
        assert refusal(f"Publisher: {publisher}\n{PEM}") == f"The key KEY speaks for {publisher}, not for com.acme."


def test_a_binding_is_for_the_block_below_it_only():
    other = generate_key().public.to_pem()
    assert "bound to no publisher" in refusal(f"Publisher: com.acme\n{other}\n{PEM}")


@pytest.mark.parametrize(
    "lines",
    [
        "Publisher: com.other, com.acme",
        "Publisher: com.other\nPublisher: com.acme",
        "publisher:com.acme",
        "  PUBLISHER : com.acme ",
    ],
)
def test_publishers_are_listed_or_repeated(lines):
    assert verify(f"A key of Acme's, see ticket: 4711\n{lines}\n\n{PEM}")


def test_windows_line_ends_and_a_missing_last_one_do_not_matter():
    assert verify(f"Publisher: com.acme\n{PEM}".replace("\n", "\r\n").rstrip())


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (ms(2026, 1, 1) - 1, "is not valid before 2026-01-01T00:00:00Z"),
        (ms(2026, 1, 1), None),
        (ms(2027, 1, 1) - 1, None),
        (ms(2027, 1, 1), "expired at 2027-01-01T00:00:00Z"),
    ],
)
def test_a_key_is_believed_within_its_window(now, why):
    pem = f"Publisher: com.acme\nNot-Before: 2026-01-01T00:00:00Z\nNot-After: 2027-01-01T01:00:00+01:00\n{PEM}"
    if why is None:
        assert verify(pem, now)
    else:
        assert refusal(pem, now) == f"The key KEY {why}."


def test_a_revoked_key_is_not_believed():
    pem = f"Publisher: com.acme\nRevoked: 2026-06-01T00:00:00Z\n{PEM}"
    assert refusal(pem) == "The key KEY was revoked at 2026-06-01T00:00:00Z."
    assert verify(pem, NOW - 1)


def test_a_revocation_counts_wherever_it_stands():
    bound = f"Publisher: com.acme\n{PEM}"
    assert "was revoked" in refusal(f"{bound}\nRevoked: 2026-01-01T00:00:00Z\n{PEM}")
    assert "was revoked" in refusal(TrustBundle.from_pem(bound).with_keys([registered("com.acme", revoked_at=NOW)]))
    operator = TrustBundle.from_pem(f"Revoked: 2026-01-01T00:00:00Z\n{PEM}")
    assert "was revoked" in refusal(operator.with_keys([registered("com.acme")]))


def test_a_registered_key_is_believed():
    assert verify(TrustBundle().with_keys([registered("com.acme", not_before=NOW)]))


def test_registered_keys_leave_the_bundle_they_are_added_to_alone():
    empty = TrustBundle()
    empty.with_keys([registered("com.acme")])
    assert refusal(empty)


def test_one_valid_binding_is_enough():
    expired = registered("com.acme", not_after=1)
    assert refusal(TrustBundle([expired]).with_keys([registered("com.other")])) == (
        "The key KEY expired at 1970-01-01T00:00:00Z."
    )
    assert verify(TrustBundle([expired]).with_keys([registered("com.acme")]))


def test_the_clock_decides_where_no_time_is_given():
    trust = TrustBundle([registered("com.acme", not_after=1)])
    with pytest.raises(OrielError, match="expired"):
        verify_bundle(ENVELOPE, content_hash=HASH, trust=trust, **CLAIMS)


# the operator's mistakes


def test_every_mistake_in_a_trust_bundle_is_reported_with_its_line():
    pem = (
        "Publisher: acme\n"
        "Not-After: tomorrow\n"
        "Not-Before: 2026-01-01\n"
        "Revokd: 2026-01-01T00:00:00Z\n"
        f"{PEM}"
        f"{KEY.to_pem()}"
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        "-----BEGIN PGP MESSAGE-----\n-----END PGP MESSAGE-----\n"
        "Publisher: com.acme\n"
    )
    assert mistakes(pem) == {
        "line 1": "'acme' is not a publisher; write a reverse-domain name such as com.acme",
        "line 2": "'tomorrow' is not a time with a zone; write it as 2026-01-01T00:00:00Z",
        "line 3": "'2026-01-01' is not a time with a zone; write it as 2026-01-01T00:00:00Z",
        "line 4": "'Revokd' means nothing here; did you mean 'Revoked'?",
        "line 8": "a private key; it belongs to its owner alone. Put its public half here, and make a new key",
        "line 11": "the certificate cannot be read",
        "line 14": "a block of 'PGP MESSAGE'; only PUBLIC KEY and CERTIFICATE belong here",
        "end": "lines that describe a key, and no block after them",
    }


@pytest.mark.parametrize(
    "line", ["Not_After: 2026-01-01T00:00:00Z", "NotAfter: 2026-01-01T00:00:00Z", "Publishers: com.acme"]
)
def test_a_line_that_nearly_means_something_is_a_mistake(line):
    assert "did you mean" in mistakes(f"{line}\n{PEM}")["line 1"]


def test_an_attribute_stands_once_above_a_block():
    twice = "Revoked: 2026-01-01T00:00:00Z\nRevoked: 2027-01-01T00:00:00Z\n"
    assert mistakes(twice + PEM) == {"line 2": "'Revoked' stands twice above one block"}


def test_what_other_tools_write_above_a_block_is_a_remark():
    remark = "Bag Attributes\n    localKeyID: 01\nsubject=CN = Acme\nKey Attributes: <No Attributes>\n# Note: rotated\n"
    assert verify(f"{remark}Publisher: com.acme\n{PEM}")


def test_a_block_without_its_end_is_a_mistake():
    assert mistakes(PEM.rsplit("-----END", 1)[0]) == {"line 1": "the block has no '-----END PUBLIC KEY-----'"}


def test_a_weak_key_is_a_mistake():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    weak = rsa.generate_private_key(65537, 1024).public_key()
    pem = weak.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    assert "1024 bits" in mistakes(pem)["line 1"]

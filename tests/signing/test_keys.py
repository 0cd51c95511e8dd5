import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from oriel.errors import OrielError
from oriel.signing import KEY_KINDS, PublicKey, SigningKey, generate_key
from oriel.signing.keys import _SMALL_ORDER

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
KEYS = {kind: generate_key(kind) for kind in KEY_KINDS}


def spki(public):
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(params=KEY_KINDS)
def key(request):
    return KEYS[request.param]


def refusal(call, *args):
    with pytest.raises(OrielError) as caught:
        call(*args)
    assert caught.value.code == "invalid_input"
    return caught.value.detail


def test_a_key_verifies_its_own_signature_of_the_very_message(key):
    signature = key.sign(b"message")
    assert key.public.verifies(signature, b"message")
    assert not key.public.verifies(signature, b"messagf")


def test_a_key_verifies_no_other_keys_signature(key):
    for other in KEYS.values():
        assert other is key or not key.public.verifies(other.sign(b"m"), b"m")
    assert not key.public.verifies(generate_key(key.kind).sign(b"m"), b"m")


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_a_private_key_survives_its_file(key, passphrase):
    pem = key.to_pem(passphrase)
    assert ("ENCRYPTED" in pem) == bool(passphrase)
    assert SigningKey.from_pem(pem, passphrase).key_id == key.key_id


def test_a_public_key_survives_its_file(key):
    assert PublicKey.from_pem(key.public.to_pem()) == key.public
    assert hash(PublicKey.from_pem(key.public.to_pem())) == hash(key.public)


def test_a_key_id_is_the_hash_of_the_public_key_info(key):
    der = serialization.load_pem_public_key(key.public.to_pem().encode()).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert key.key_id == "sha256:" + hashlib.sha256(der).hexdigest()


def test_a_key_shows_nothing_of_its_private_half(key):
    assert repr(key) == f"SigningKey({key.kind}, {key.key_id})"


def test_an_encrypted_key_says_that_it_needs_its_passphrase():
    key = KEYS["ed25519"]
    assert refusal(SigningKey.from_pem, key.to_pem("x")) == "The key is encrypted."
    assert refusal(SigningKey.from_pem, key.to_pem(), "x") == "The key has no passphrase."
    assert "the passphrase is another one" in refusal(SigningKey.from_pem, key.to_pem("x"), "y")


@pytest.mark.parametrize("pem", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_key_is_refused(pem):
    assert refusal(PublicKey.from_pem, pem)
    assert refusal(SigningKey.from_pem, pem)


def test_a_private_key_is_no_public_key():
    assert refusal(PublicKey.from_pem, KEYS["ed25519"].to_pem())


@pytest.mark.parametrize(
    "make",
    [
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate,
        x25519.X25519PrivateKey.generate,
        lambda: dsa.generate_private_key(2048),
    ],
)
def test_another_kind_of_key_is_refused(make):
    assert refusal(SigningKey, make()) == "The key is of an unknown kind."


def test_an_unknown_kind_is_refused():
    assert refusal(generate_key, "rsa") == "The key is of an unknown kind."


def test_a_short_rsa_key_is_refused():
    weak = rsa.generate_private_key(65537, 1024)
    assert refusal(SigningKey, weak) == "The RSA key has 1024 bits; 2048 to 8192 are allowed."


def test_an_rsa_key_with_a_small_exponent_is_refused():
    assert "exponent" in refusal(SigningKey, rsa.generate_private_key(3, 2048))


def test_an_rsa_key_too_large_to_verify_cheaply_is_refused():
    numbers = rsa.RSAPublicNumbers(65537, (1 << 16383) + 1)
    assert "16384 bits" in refusal(PublicKey, numbers.public_key())


# Ed25519


def ed25519_times_8(y):
    """Whether eight times the point with this y (and either x) is the identity; plain affine arithmetic."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    y %= p
    x2 = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    x = pow(x2, (p + 3) // 8, p)
    if (x * x - x2) % p:
        x = x * pow(2, (p - 1) // 4, p) % p
    if (x * x - x2) % p:
        return None
    for _ in range(3):
        product = d * x * x * y * y % p
        x, y = 2 * x * y * pow(1 + product, -1, p) % p, (y * y + x * x) * pow(1 - product, -1, p) % p
    return (x, y) == (0, 1)


def test_the_listed_points_are_of_small_order():
    assert all(ed25519_times_8(y) for y in _SMALL_ORDER)


@pytest.mark.parametrize("y", sorted(_SMALL_ORDER))
@pytest.mark.parametrize("sign", [0, 1])
def test_an_ed25519_point_of_small_order_is_refused(y, sign):
    raw = (y | sign << 255).to_bytes(32, "little")
    assert "small order" in refusal(PublicKey, Ed25519PublicKey.from_public_bytes(raw))


def test_an_ed25519_signature_with_an_unreduced_scalar_is_refused():
    key = KEYS["ed25519"]
    signature = key.sign(b"m")
    scalar = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    assert not key.public.verifies(signature[:32] + scalar.to_bytes(32, "little"), b"m")


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + b"\0", lambda s: b"", lambda s: bytes(64)])
def test_an_ed25519_signature_of_another_length_or_zero_is_refused(change):
    key = KEYS["ed25519"]
    assert not key.public.verifies(change(key.sign(b"m")), b"m")


# ECDSA


def der(*numbers):
    """A sequence of integers; unlike the library's, negative ones too."""
    parts = [number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True) for number in numbers]
    body = b"".join(b"\x02" + bytes([len(part)]) + part for part in parts)
    return b"\x30" + bytes([len(body)]) + body


def test_the_tests_own_encoding_is_the_right_one():
    key = KEYS["ecdsa-p256"]
    assert key.public.verifies(der(*decode_dss_signature(key.sign(b"m"))), b"m")


@pytest.mark.parametrize(
    ("r", "s"),
    [(0, 0), (0, 1), (1, 0), (P256_ORDER, 1), (1, P256_ORDER), (P256_ORDER, P256_ORDER), (1, 1), (P256_ORDER + 1, 1),
     (2**256, 2**256), (-1, 1)],
)  # fmt: skip
def test_an_ecdsa_signature_outside_the_range_is_refused(r, s):
    assert not KEYS["ecdsa-p256"].public.verifies(der(r, s), b"m")


def test_an_ecdsa_signature_with_r_or_s_plus_the_order_is_refused():
    key = KEYS["ecdsa-p256"]
    r, s = decode_dss_signature(key.sign(b"m"))
    for changed in [(r + P256_ORDER, s), (r, s + P256_ORDER), (r, -s), (s, r)]:
        assert not key.public.verifies(der(*changed), b"m")


def der_variants(signature):
    body = signature[2:]
    r_length = body[1]
    r, s = body[2 : 2 + r_length], body[4 + r_length :]
    padded = b"\x02" + bytes([r_length + 1]) + b"\0" + r + b"\x02" + bytes([len(s)]) + s
    return {
        "a long form of the length": b"\x30\x81" + signature[1:],
        "an indefinite length": b"\x30\x80" + body + b"\0\0",
        "trailing bytes": signature + b"\0",
        "trailing bytes inside": b"\x30" + bytes([signature[1] + 2]) + body + b"\x05\0",
        "a padded integer": b"\x30" + bytes([len(padded)]) + padded,
        "another tag": b"\x31" + signature[1:],
        "cut off": signature[:-1],
        "raw r and s": r[-32:].rjust(32, b"\0") + s[-32:].rjust(32, b"\0"),
        "empty": b"",
    }


@pytest.mark.parametrize("variant", sorted(der_variants(KEYS["ecdsa-p256"].sign(b"m"))))
def test_an_ecdsa_signature_in_another_encoding_is_refused(variant):
    key = KEYS["ecdsa-p256"]
    assert not key.public.verifies(der_variants(key.sign(b"m"))[variant], b"m")


# RSA


def test_an_rsa_signature_of_another_padding_is_refused():
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    key = KEYS["rsa-pss"]
    sha256, sha1 = hashes.SHA256(), hashes.SHA1()
    for scheme, digest in [
        (padding.PKCS1v15(), sha256),
        (padding.PSS(padding.MGF1(sha256), 0), sha256),
        (padding.PSS(padding.MGF1(sha256), padding.PSS.MAX_LENGTH), sha256),
        (padding.PSS(padding.MGF1(sha1), 32), sha256),
        (padding.PSS(padding.MGF1(sha256), 32), hashes.SHA512()),
    ]:
        assert not key.public.verifies(key._key.sign(b"m", scheme, digest), b"m")


@pytest.mark.parametrize(
    "change", [lambda s: s[:-1], lambda s: b"\0" + s, lambda s: bytes(len(s)), lambda s: b"\xff" * len(s)]
)
def test_a_malformed_rsa_signature_is_refused(change):
    key = KEYS["rsa-pss"]
    assert not key.public.verifies(change(key.sign(b"m")), b"m")


def test_a_key_of_p256_is_read_from_der_and_named_as_the_library_does():
    for _ in range(20):
        der = spki(ec.generate_private_key(ec.SECP256R1()).public_key())
        key = PublicKey.from_p256_der(der)
        assert key == PublicKey(serialization.load_der_public_key(der))
        assert key.key_id == f"sha256:{hashlib.sha256(der).hexdigest()}"


@pytest.mark.parametrize(
    "der",
    [
        b"",
        spki(Ed25519PrivateKey.generate().public_key()),
        spki(ec.generate_private_key(ec.SECP384R1()).public_key()),
        spki(ec.generate_private_key(ec.SECP256R1()).public_key())[:-1],
        spki(ec.generate_private_key(ec.SECP256R1()).public_key())[:-64] + bytes(64),
    ],
    ids=["nothing", "ed25519", "p384", "short", "no point"],
)
def test_what_is_no_key_of_p256_in_der_is_refused(der):
    assert "P-256" in refusal(PublicKey.from_p256_der, der)

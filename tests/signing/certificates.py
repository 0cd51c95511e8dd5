"""A small certificate authority for tests."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from oriel.signing import generate_key

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAY = timedelta(days=1)


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Entity:
    """A key with a certificate."""

    def __init__(self, key, certificate, name):
        self.key, self.certificate, self.name = key, certificate, name

    @property
    def der(self):
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self):
        return self.certificate.public_bytes(Encoding.PEM).decode()


def issue(
    name,
    issuer=None,
    *,
    ca=False,
    path_length=None,
    publishers=(),
    key=None,
    start=-DAY,
    end=DAY,
    extensions=(),
    algorithm=None,
):
    """A certificate for `name`, self-signed without an issuer; `start` and `end` count from `NOW`."""
    key = key or generate_key("ecdsa-p256" if algorithm else "ed25519")
    signer = issuer or Entity(key, None, name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(signer.name))
        .public_key(key.public._key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + start)
        .not_valid_after(NOW + end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    if publishers:
        uris = [x509.UniformResourceIdentifier(f"oriel:publisher:{publisher}") for publisher in publishers]
        builder = builder.add_extension(x509.SubjectAlternativeName(uris), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    digest = algorithm or (None if signer.key.kind == "ed25519" else hashes.SHA256())
    return Entity(key, builder.sign(signer.key._key, digest), name)


def usage(**allowed):
    """A key usage extension with only these uses."""
    uses = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]  # fmt: skip
    return x509.KeyUsage(**{use: allowed.get(use, False) for use in uses})

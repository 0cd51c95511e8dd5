"""An identity provider: keys of every kind, a key set, and tokens as good or as bad as a test wants them."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from oriel.identity import Authenticator, KeySet, TokenVerifier

ISSUER, AUDIENCE = "https://id.example", "oriel"


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def segment(value):
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


class Provider:
    """Signs with one key for each algorithm; `fetches` counts how often the key set was asked for."""

    def __init__(self, keys):
        self.keys = keys
        self.fetches = 0
        self.away = False

    def jwk(self, algorithm, key_id=None):
        maker = jwt.algorithms.get_default_algorithms()[algorithm]
        entry = json.loads(maker.to_jwk(self.keys[algorithm].public_key()))
        return (
            {"kty": entry["kty"]}
            | {k: v for k, v in entry.items() if k != "key_ops"}
            | {
                "kid": key_id or algorithm,
                "alg": algorithm,
                "use": "sig",
            }
        )

    def fetch(self):
        self.fetches += 1
        if self.away:
            raise OSError("away")
        return json.dumps({"keys": [self.jwk(algorithm) for algorithm in self.keys]}).encode()

    def claims(self, **changes):
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ann",
            "iat": now,
            "exp": now + 300,
            "tenant": "acme",
            "roles": ["member"],
        } | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, algorithm="EdDSA", headers=None, **changes):
        headers = {"kid": algorithm} | (headers or {})
        return jwt.encode(self.claims(**changes), self.keys[algorithm], algorithm=algorithm, headers=headers)

    def signed(self, header, payload):
        """A token of exactly these JSON texts (bytes) or values, signed with the Ed25519 key."""
        text = f"{segment(header)}.{segment(payload)}"
        return f"{text}.{b64(self.keys['EdDSA'].sign(text.encode()))}"


@pytest.fixture(scope="session")
def signing_keys():
    return {
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "PS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }


@pytest.fixture
def provider(signing_keys):
    return Provider(signing_keys)


@pytest.fixture
def key_set(provider):
    return KeySet(provider.fetch)


@pytest.fixture
def authenticator(key_set):
    return Authenticator(TokenVerifier(key_set, issuer=ISSUER, audience=AUDIENCE))

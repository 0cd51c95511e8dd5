"""Service tokens between the gateway and the runner."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from oriel.contract import ExecutionContext
from oriel.errors import OrielError
from oriel.identity import ServiceTokenSigner, ServiceTokenVerifier
from tests.identity.conftest import segment

BODY = b'{"context": {}}'
CONTEXT = ExecutionContext(
    request_id="req_1",
    execution_id="exe_1",
    tenant_id="acme",
    extension_id="com.acme.notes",
    install_id="ins_1",
    version_id="ver_1",
    version="1.0.0",
    content_hash="sha256:" + "0" * 64,
)


@pytest.fixture(scope="module")
def key():
    return Ed25519PrivateKey.generate()


@pytest.fixture
def signer(key):
    return ServiceTokenSigner(key)


@pytest.fixture
def verifier(key):
    return ServiceTokenVerifier([key.public_key()])


def refused(verifier, token, body=BODY):
    with pytest.raises(OrielError) as caught:
        verifier.verify(token, body)
    assert caught.value.code == "untrusted_caller"
    return caught.value.detail


def claims_of(token, **changes):
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    return {name: value for name, value in claims.items() if value is not None}


def test_a_good_token_gives_its_claims(signer, verifier):
    claims = verifier.verify(signer.mint(BODY, CONTEXT), BODY)
    claims.require_same(CONTEXT)
    assert (claims.tenant_id, claims.install_id, claims.execution_id) == ("acme", "ins_1", "exe_1")


def test_a_token_made_for_another_body_is_refused(signer, verifier):
    assert "another body" in refused(verifier, signer.mint(BODY, CONTEXT), BODY + b" ")


def test_a_token_is_taken_once(signer, verifier):
    token = signer.mint(BODY, CONTEXT)
    verifier.verify(token, BODY)
    assert "used before" in refused(verifier, token)


def test_a_refused_body_does_not_use_the_token_up(signer, verifier):
    token = signer.mint(BODY, CONTEXT)
    refused(verifier, token, b"other")
    assert verifier.verify(token, BODY)


@pytest.mark.parametrize("field", ["tenant_id", "install_id", "extension_id", "execution_id", "content_hash"])
def test_a_body_that_names_other_ids_than_the_token_is_refused(signer, verifier, field):
    claims = verifier.verify(signer.mint(BODY, CONTEXT), BODY)
    other = "sha256:" + "1" * 64 if field == "content_hash" else "other"
    with pytest.raises(OrielError, match=f"'{field}'"):
        claims.require_same(replace(CONTEXT, **{field: other}))


def test_a_token_of_another_key_is_refused(verifier):
    stranger = ServiceTokenSigner(Ed25519PrivateKey.generate())
    assert "signature" in refused(verifier, stranger.mint(BODY, CONTEXT))


def test_old_and_new_keys_serve_side_by_side(key, signer):
    new = Ed25519PrivateKey.generate()
    verifier = ServiceTokenVerifier([new.public_key(), key.public_key()])
    assert verifier.verify(signer.mint(BODY, CONTEXT), BODY)
    assert verifier.verify(ServiceTokenSigner(new).mint(BODY, CONTEXT), BODY)


def now(seconds):
    """So many seconds from when the test runs, which may be long after it was collected."""
    return lambda: int(time.time()) + seconds


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "\u00e9"])
def test_what_is_no_token_is_refused(verifier, token):
    refused(verifier, token)


def test_alg_none_is_refused(signer, verifier):
    claims = segment(claims_of(signer.mint(BODY, CONTEXT)))
    refused(verifier, f"{segment({'alg': 'none'})}.{claims}.AA")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exp": now(-30), "iat": now(-40)}, "it has expired"),
        ({"exp": now(3600)}, "longer than 30"),
        ({"exp": None}, "'exp'"),
        ({"iat": None}, "'iat'"),
        ({"iat": lambda: time.time() + 100}, "'iat'"),
        ({"iat": now(100)}, "not valid yet"),
        ({"nbf": now(100)}, "not valid yet"),
        ({"jti": None}, "'jti'"),
        ({"aud": "oriel"}, "not the gateway's for the runner"),
        ({"iss": "https://id.example"}, "not the gateway's for the runner"),
        ({"body_sha256": None}, "body_sha256"),
        ({"tenant": ""}, "tenant"),
        ({"tenant": ["acme"]}, "tenant"),
    ],
)
def test_a_wrong_claim_is_refused_also_where_the_signature_fits(key, signer, verifier, changes, why):
    made = {name: change() if callable(change) else change for name, change in changes.items()}
    forged = jwt.encode(claims_of(signer.mint(BODY, CONTEXT), **made), key, algorithm="EdDSA")
    assert why in refused(verifier, forged)


def test_a_user_token_is_no_service_token(provider, key):
    verifier = ServiceTokenVerifier([provider.keys["EdDSA"].public_key()])
    refused(verifier, provider.token())


def test_no_signer_makes_tokens_that_live_long(key):
    with pytest.raises(ValueError, match="30 seconds"):
        ServiceTokenSigner(key, lifetime=31)


def test_the_memory_for_used_tokens_is_bounded_and_forgets(key, signer):
    now = [time.time()]
    verifier = ServiceTokenVerifier([key.public_key()], max_remembered=3, clock=lambda: now[0])
    first = signer.mint(BODY, CONTEXT)
    verifier.verify(first, BODY)
    for _ in range(2):
        verifier.verify(signer.mint(BODY, CONTEXT), BODY)
    with pytest.raises(OrielError) as caught:
        verifier.verify(signer.mint(BODY, CONTEXT), BODY)
    assert caught.value.code == "unavailable"
    assert "used before" in refused(verifier, first)
    now[0] += 60
    assert verifier.verify(signer.mint(BODY, CONTEXT), BODY)

"""Tokens are judged as PyJWT judges them, which is not there where they are judged: it takes too long to import."""

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oriel.errors import OrielError
from oriel.identity import TokenVerifier
from oriel.identity.jwa import algorithms_of, fits, public_key
from tests.identity.conftest import AUDIENCE, ISSUER, b64

ALGORITHMS = ["EdDSA", "ES256", "RS256", "PS256"]
SPANS = st.sampled_from([-10_000, -60, -20, 0, 20, 60, 10_000])
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.sampled_from([None, ISSUER, "https://other.example", "", [ISSUER], 1]),
        "aud": st.sampled_from([None, AUDIENCE, "other", [AUDIENCE], ["other", AUDIENCE], ["other"], [], [1], 1]),
        "sub": st.sampled_from([None, "ann", "", 1, ["ann"]]),
        "jti": st.sampled_from([None, "x", 1]),
    },
)


def reads(judge):
    try:
        judge()
    except (OrielError, jwt.PyJWTError):
        return False
    return True


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    algorithm=st.sampled_from(ALGORITHMS),
    changes=CHANGES,
    times=st.dictionaries(st.sampled_from(["exp", "nbf", "iat"]), SPANS),
    broken=st.booleans(),
)
def test_a_token_is_believed_where_pyjwt_believes_it(provider, key_set, *, algorithm, changes, times, broken):
    now = provider.claims()["iat"]
    claims = provider.claims(**changes) | {name: now + span for name, span in times.items()}
    token = jwt.api_jws.encode(
        jwt.api_jwt.json.dumps(claims).encode(), provider.keys[algorithm], algorithm, {"kid": algorithm}
    )
    if broken:
        head, _, signature = token.rpartition(".")
        token = f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    key = provider.keys[algorithm].public_key()
    options = {"require": ["exp", "iss", "aud", "sub"]}
    theirs = reads(
        lambda: jwt.decode(token, key, [algorithm], options=options, issuer=ISSUER, audience=AUDIENCE, leeway=30)
    )
    assert reads(lambda: TokenVerifier(key_set, issuer=ISSUER, audience=AUDIENCE).verify(token)) is theirs


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_read_as_pyjwt_reads_it(provider, algorithm):
    entry = provider.jwk(algorithm)
    assert algorithms_of(entry) == (algorithm,)
    assert public_key(entry) == jwt.PyJWK(entry, algorithm).key


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 255, 256, 257, 512])
def test_bytes_that_are_no_signature_fit_nothing(provider, algorithm, size):
    key = provider.keys[algorithm].public_key()
    for byte in (b"\0", b"\xff"):
        assert not fits(key, algorithm, byte * size, b"message")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_fits_no_algorithm_of_another_kind(provider, algorithm):
    key = provider.keys[algorithm].public_key()
    for other in {*ALGORITHMS, "HS256", "none"} - {algorithm, "RS256", "PS256"}:
        assert not fits(key, other, b"x" * 64, b"message")


@pytest.mark.parametrize(
    "change",
    [{"x": b64(b"\1" * 31)}, {"x": b64(b"\1" * 33)}, {"y": b64(b"\0" * 32)}, {"x": None}, {"y": 5}, {"x": "a=="}],
)
def test_a_point_that_is_not_on_the_curve_is_no_key(provider, change):
    with pytest.raises(ValueError):
        public_key(provider.jwk("ES256") | change)

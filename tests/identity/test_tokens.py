"""User tokens: the good ones, and every bad one that facts of hostile tokens list."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from oriel.errors import OrielError
from oriel.identity import Authenticator, ClaimNames, RolePolicy, TokenVerifier
from tests.identity.conftest import AUDIENCE, ISSUER, b64, segment


def refusal(authenticator, token):
    with pytest.raises(OrielError) as caught:
        authenticator.authenticate(f"Bearer {token}")
    return caught.value


def refused(authenticator, token, why=""):
    error = refusal(authenticator, token)
    assert error.code == "unauthenticated"
    assert why in error.detail
    return True


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256", "PS256"])
def test_a_good_token_gives_the_principal(authenticator, provider, algorithm):
    principal = authenticator.authenticate("Bearer " + provider.token(algorithm, name="Ann", email="ann@acme.example"))
    assert (principal.subject, principal.tenant_id, principal.roles) == ("ann", "acme", ("member",))
    assert (principal.name, principal.email) == ("Ann", "ann@acme.example")
    assert principal.permissions == {"invoke:read", "invoke:write"}


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "bearer", "Token x"])
def test_no_bearer_token_is_unauthenticated(authenticator, header):
    with pytest.raises(OrielError) as caught:
        authenticator.authenticate(header)
    assert (caught.value.code, caught.value.headers()["www-authenticate"]) == ("unauthenticated", "Bearer")


def test_the_scheme_is_read_in_any_case(authenticator, provider):
    assert authenticator.authenticate("bEARER " + provider.token()).subject == "ann"


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "NONE", ""])
def test_alg_none_is_refused(authenticator, provider, algorithm):
    header, claims = segment({"alg": algorithm, "kid": "EdDSA"}), segment(provider.claims())
    assert refused(authenticator, f"{header}.{claims}.")
    assert refused(authenticator, f"{header}.{claims}.AA")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("encoding", ["PEM", "DER", "JWK"])
def test_hs256_with_a_public_key_as_secret_is_refused(authenticator, provider, algorithm, encoding):
    public = provider.keys[algorithm].public_key()
    if encoding == "JWK":
        secret = json.dumps(provider.jwk(algorithm)).encode()
    else:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        secret = public.public_bytes(getattr(serialization.Encoding, encoding), form)
    text = f"{segment({'alg': 'HS256', 'kid': algorithm})}.{segment(provider.claims())}"
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(text.encode(), secret)
    assert refused(authenticator, f"{text}.{b64(mac)}", "algorithm")


def test_an_algorithm_of_another_key_kind_is_refused(authenticator, provider):
    assert refused(authenticator, provider.token("ES256", headers={"kid": "EdDSA"}), "algorithm")
    assert refused(authenticator, provider.token("PS256", headers={"kid": "RS256"}), "algorithm")


@pytest.mark.parametrize("claim", ["exp", "aud", "iss", "sub"])
def test_a_missing_claim_is_refused_by_name(authenticator, provider, claim):
    assert refused(authenticator, provider.token(**{claim: None}), f"no '{claim}'")


def test_exp_in_the_past_says_that_the_token_expired(authenticator, provider):
    error = refusal(authenticator, provider.token(exp=int(time.time()) - 60))
    assert (error.code, error.status) == ("token_expired", 401)


def test_clocks_may_differ_by_a_little(authenticator, provider):
    assert authenticator.authenticate("Bearer " + provider.token(exp=int(time.time()) - 10))


def test_an_expired_token_with_a_bad_signature_is_not_called_expired(authenticator, provider):
    token = provider.token(exp=1)
    assert refused(authenticator, token[:-8] + "AAAAAAAA")


def test_nbf_in_the_future_is_refused(authenticator, provider):
    assert refused(authenticator, provider.token(nbf=int(time.time()) + 120), "not valid yet")


def test_iat_in_the_future_is_refused(authenticator, provider):
    assert refused(authenticator, provider.token(iat=int(time.time()) + 120), "not valid yet")


def test_a_token_for_another_audience_is_refused(authenticator, provider):
    assert refused(authenticator, provider.token(aud="somebody-else"), "another audience")
    assert refused(authenticator, provider.token(aud=["x", "y"]), "another audience")
    assert refused(authenticator, provider.token(aud={"oriel": 1}))


def test_a_token_of_another_issuer_is_refused(authenticator, provider):
    assert refused(authenticator, provider.token(iss="https://id.example/"), "another issuer")


def test_an_unknown_kid_is_refused(authenticator, provider):
    assert refused(authenticator, provider.token(headers={"kid": "other"}), "key id")


@pytest.mark.parametrize("kid", ["../../etc/passwd", "/dev/null", "a/b", "x' OR 1=1 --", "", "a\0b", "k" * 300])
def test_a_path_like_kid_is_refused(authenticator, provider, kid):
    token = provider.signed({"alg": "EdDSA", "kid": kid}, provider.claims())
    assert refused(authenticator, token, "plain key id")


def test_a_kid_that_is_no_string_is_refused(authenticator, provider):
    assert refused(authenticator, provider.signed({"alg": "EdDSA", "kid": ["EdDSA"]}, provider.claims()))


def test_without_a_kid_a_set_of_several_keys_has_no_key(authenticator, provider):
    assert refused(authenticator, provider.signed({"alg": "EdDSA"}, provider.claims()), "key id")


@pytest.mark.parametrize("name", ["jku", "x5u", "x5c", "crit", "b64", "zip"])
def test_a_header_that_brings_a_key_or_changes_the_reading_is_refused(authenticator, provider, name):
    values = {"jku": "http://127.0.0.1/keys", "x5c": ["MII"], "crit": ["exp"], "b64": False}
    token = provider.signed({"alg": "EdDSA", "kid": "EdDSA", name: values.get(name, "x")}, provider.claims())
    assert refused(authenticator, token, name)


def test_an_embedded_jwk_is_refused(authenticator, provider):
    header = {"alg": "EdDSA", "kid": "EdDSA", "jwk": provider.jwk("EdDSA")}
    assert refused(authenticator, provider.signed(header, provider.claims()), "jwk")


def test_duplicate_claims_are_refused(authenticator, provider):
    text = json.dumps(provider.claims())
    doubled = text[:-1] + ', "tenant": "victim"}'
    assert refused(authenticator, provider.signed({"alg": "EdDSA", "kid": "EdDSA"}, doubled.encode()), "twice")


def test_duplicate_headers_are_refused(authenticator, provider):
    header = b'{"alg": "EdDSA", "kid": "EdDSA", "alg": "EdDSA"}'
    assert refused(authenticator, provider.signed(header, provider.claims()), "twice")


@pytest.mark.parametrize("tail", ["\n", "=", "==", ".", ".e30", "\0", " x", "%00", "A"])
def test_trailing_bytes_are_refused(authenticator, provider, tail):
    assert refused(authenticator, provider.token() + tail)


def test_spare_bits_in_the_signature_are_refused(authenticator, provider):
    token = provider.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(token[-1]) ^ 1]
    assert refused(authenticator, token[:-1] + other, "canonical")


def test_an_oversized_token_is_refused_before_it_is_read(authenticator, provider):
    assert refused(authenticator, provider.token(filler="x" * 9000), "8,192 bytes")


@pytest.mark.parametrize("exp", ["9999999999", True, [1], "NaN"])
def test_an_exp_that_is_no_number_is_refused(authenticator, provider, exp):
    token = provider.signed({"alg": "EdDSA", "kid": "EdDSA"}, provider.claims(exp=exp))
    assert refused(authenticator, token, "'exp'")


@pytest.mark.parametrize("number", [b"1e999", b"NaN", b"Infinity", b"9" * 400])
def test_an_exp_beyond_numbers_is_refused(authenticator, provider, number):
    text = json.dumps(provider.claims(exp=12345)).replace("12345", number.decode())
    assert refused(authenticator, provider.signed({"alg": "EdDSA", "kid": "EdDSA"}, text.encode()))


@pytest.mark.parametrize("claims", [b"[]", b"null", b"{", b"\xff", b"[" * 3000, b'"x"'])
def test_claims_that_are_no_object_are_refused(authenticator, provider, claims):
    assert refused(authenticator, provider.signed({"alg": "EdDSA", "kid": "EdDSA"}, claims))


@pytest.mark.parametrize("position", [5, 40, 120, -5])
def test_one_changed_character_anywhere_is_refused(authenticator, provider, position):
    token = provider.token()
    changed = "A" if token[position] != "A" else "B"
    at = position % len(token)
    assert refused(authenticator, token[:at] + changed + token[at + 1 :])


@pytest.mark.parametrize(
    "tenant", ["", "a/b", "a b", "a#b", "../x", "x" * 129, 7, ["acme"], {"id": "acme"}, "\u0430cme"]
)
def test_a_tenant_claim_that_is_no_plain_id_is_refused(authenticator, provider, tenant):
    assert refused(authenticator, provider.token(tenant=tenant), "tenant")


def test_a_token_without_a_tenant_belongs_to_none(authenticator, provider):
    principal = authenticator.authenticate("Bearer " + provider.token(tenant=None, roles=["publisher"]))
    assert principal.tenant_id is None
    with pytest.raises(OrielError, match="names no tenant"):
        principal.require_tenant()


@pytest.mark.parametrize("roles", [{"admin": True}, 7, [["admin"]], [""], ["a b"], ["r"] * 65])
def test_roles_that_are_no_list_of_names_are_refused(authenticator, provider, roles):
    assert refused(authenticator, provider.token(roles=roles), "roles")


def test_roles_may_stand_in_one_string(authenticator, provider):
    assert authenticator.authenticate("Bearer " + provider.token(roles="viewer member")).roles == ("viewer", "member")


def test_claims_are_found_under_configured_and_nested_names(key_set, provider):
    names = ClaimNames(tenant="https://acme.example/org", roles="realm_access.roles")
    authenticator = Authenticator(TokenVerifier(key_set, issuer=ISSUER, audience=AUDIENCE), claims=names)
    changes = {"https://acme.example/org": "globex", "realm_access": {"roles": ["admin"]}}
    principal = authenticator.authenticate("Bearer " + provider.token(**changes))
    assert (principal.tenant_id, principal.roles) == ("globex", ("admin",))


def test_roles_carry_what_the_configured_policy_says(key_set, provider):
    policy = RolePolicy({"member": frozenset({"operate"})})
    authenticator = Authenticator(TokenVerifier(key_set, issuer=ISSUER, audience=AUDIENCE), policy=policy)
    assert authenticator.authenticate("Bearer " + provider.token()).permissions == {"operate"}


def test_no_refusal_repeats_the_token(authenticator, provider):
    token = provider.token(exp=5)
    for bad in (token, token[:-3], token + "x", provider.token(iss="me")):
        error = refusal(authenticator, bad)
        assert not any(part in str(error.problem("req")) for part in bad.split("."))

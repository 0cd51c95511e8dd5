"""The identity provider's keys: rotation, outages, hostile key sets."""

import json
import threading

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oriel.errors import OrielError
from oriel.identity import KeySet, open_keys
from oriel.identity.jwks import MAX_SET_BYTES, KeysUnreadable, parse_key_set
from oriel.local.tokens import jwks
from tests.support.http import serving


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(provider, clock):
    return KeySet(provider.fetch, max_age=300, max_stale=3600, min_interval=10, clock=clock)


def test_the_key_that_signs_calls_to_host_products_speaks_for_no_user():
    issuer, host = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    (key,) = parse_key_set(json.dumps(jwks(issuer, host=host)).encode())
    assert key.key == issuer.public_key()


def as_set(*entries):
    return json.dumps({"keys": entries}).encode()


def test_keys_are_fetched_once_and_kept(keys, provider, clock):
    assert all(keys.find("EdDSA") for _ in range(50))
    clock.now += 299
    assert keys.find("ES256")
    assert provider.fetches == 1


def test_keys_are_fetched_again_when_they_are_old(keys, provider, clock):
    keys.find("EdDSA")
    clock.now += 300
    keys.find("EdDSA")
    assert provider.fetches == 2


def test_a_rotated_key_is_found_at_once(keys, provider, clock, signing_keys):
    provider.keys = {"EdDSA": signing_keys["EdDSA"]}
    assert keys.find("EdDSA")
    provider.keys = signing_keys
    clock.now += 11
    assert keys.find("ES256")


def test_a_withdrawn_key_is_gone_with_the_next_fetch(keys, provider, clock, signing_keys):
    assert keys.find("ES256")
    provider.keys = {"EdDSA": signing_keys["EdDSA"]}
    clock.now += 301
    assert keys.find("ES256") is None


def test_invented_key_ids_do_not_hammer_the_provider(keys, provider, clock):
    keys.find("EdDSA")
    for number in range(100):
        assert keys.find(f"invented-{number}") is None
    assert provider.fetches == 1
    clock.now += 11
    for number in range(100):
        assert keys.find(f"invented-{number}") is None
    assert provider.fetches == 2


def test_the_last_good_keys_serve_through_an_outage_for_a_bounded_time(keys, provider, clock):
    keys.find("EdDSA")
    provider.away = True
    clock.now += 3599
    assert keys.find("EdDSA")
    clock.now += 1
    with pytest.raises(OrielError) as caught:
        keys.find("EdDSA")
    assert (caught.value.code, caught.value.status) == ("unavailable", 503)
    provider.away = False
    clock.now += 10
    assert keys.find("EdDSA")


def test_without_any_keys_the_answer_is_unavailable_and_not_unauthenticated(provider, clock):
    provider.away = True
    with pytest.raises(OrielError) as caught:
        KeySet(provider.fetch, clock=clock).find("EdDSA")
    assert caught.value.code == "unavailable"


def test_a_broken_key_set_does_not_replace_good_keys(keys, provider, clock, monkeypatch):
    keys.find("EdDSA")
    monkeypatch.setattr(keys, "_fetch", lambda: b"<html>login</html>")
    clock.now += 301
    assert keys.find("EdDSA")


def test_one_of_many_threads_fetches(provider, clock):
    ready, go = threading.Barrier(9), threading.Event()

    def slow():
        go.wait(5)
        return provider.fetch()

    keys = KeySet(slow, clock=clock)
    found = []

    def find():
        ready.wait(5)
        found.append(keys.find("EdDSA"))

    threads = [threading.Thread(target=find) for _ in range(8)]
    for thread in threads:
        thread.start()
    ready.wait(5)
    go.set()
    for thread in threads:
        thread.join(5)
    assert (len(found), None in found, provider.fetches) == (8, False, 1)


def test_the_only_key_serves_tokens_without_a_key_id(provider, signing_keys):
    provider.keys = {"EdDSA": signing_keys["EdDSA"]}
    assert KeySet(provider.fetch).find(None).algorithms == ("EdDSA",)


def test_an_rsa_key_without_alg_serves_both_rsa_algorithms_and_no_other(provider):
    entry = provider.jwk("RS256")
    del entry["alg"]
    assert parse_key_set(as_set(entry))[0].algorithms == ("RS256", "PS256")


def private_jwk(provider):
    return provider.jwk("EdDSA") | {"d": "AAAA"}


@pytest.mark.parametrize(
    "make",
    [
        lambda provider: {"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "HS256"},
        lambda provider: {"kty": ["OKP"], "crv": {}, "kid": "x"},
        lambda provider: {"kty": "OKP", "crv": "Ed25519", "x": "!", "kid": "x"},
        lambda provider: {"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "x"},
        lambda provider: provider.jwk("EdDSA") | {"use": "enc"},
        lambda provider: provider.jwk("EdDSA") | {"alg": "HS256"},
        lambda provider: provider.jwk("ES256") | {"x": "AAAA"},
        lambda provider: provider.jwk("EdDSA") | {"kid": 7},
        private_jwk,
    ],
)
def test_an_unfit_key_is_left_out(provider, make):
    keys = parse_key_set(as_set(make(provider), provider.jwk("RS256")))
    assert [key.key_id for key in keys] == ["RS256"]


def test_weak_and_exotic_keys_are_left_out(provider):
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    large_curve = ec.generate_private_key(ec.SECP384R1()).public_key()
    weak = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(small)) | {"kid": "weak"}
    exotic = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(large_curve)) | {"kid": "exotic"}
    assert [key.key_id for key in parse_key_set(as_set(weak, exotic, provider.jwk("EdDSA")))] == ["EdDSA"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [7]}', b"\xff", b"[" * 5000, b"x" * 300_000],
)
def test_what_is_no_key_set_is_refused(raw):
    with pytest.raises(KeysUnreadable):
        parse_key_set(raw)


def test_a_set_of_too_many_keys_is_refused(provider):
    with pytest.raises(KeysUnreadable, match="64"):
        parse_key_set(as_set(*[provider.jwk("EdDSA")] * 65))


def test_keys_come_from_a_file_and_follow_it(provider, tmp_path):
    file = tmp_path / "jwks.json"
    file.write_bytes(provider.fetch())
    assert open_keys(str(file)).find("EdDSA")


def test_keys_come_from_a_url(provider):
    with serving(lambda request: request.answer(200, provider.fetch())) as url:
        assert open_keys(url).find("PS256")


@pytest.mark.parametrize("status", [404, 500, 301])
def test_an_answer_that_is_not_200_gives_no_keys(provider, status):
    def answer(request):
        request.answer(200 if request.path == "/other" else status, provider.fetch(), location="/other")

    with serving(answer) as url, pytest.raises(OrielError):
        open_keys(url).find("EdDSA")


def test_an_endless_key_set_is_cut_off():
    def answer(request):
        request.answer(200, b" " * (MAX_SET_BYTES * 4))

    with serving(answer) as url, pytest.raises(OrielError):
        open_keys(url).find("EdDSA")


@pytest.mark.parametrize("url", ["http://id.example/keys", "ftp://id.example/keys", "file:///etc/passwd"])
def test_keys_are_not_fetched_in_the_clear(url):
    with pytest.raises(ValueError, match="https"):
        open_keys(url)

"""A trust bundle in a file is followed: what is written into it holds without a restart."""

import pytest

from oriel.errors import InvalidInput, OrielError
from oriel.local.trust import LOOK_SECONDS, TrustFile, open_trust
from oriel.settings import Settings
from oriel.signing import generate_key, sign_bundle
from oriel.signing.dsse import Envelope
from tests.support.gateway import NOW, Clock

KEY = generate_key()
GOOD = f"Publisher: com.acme\n{KEY.public.to_pem()}"
REVOKED = f"Publisher: com.acme\nRevoked: 2020-01-01T00:00:00Z\n{KEY.public.to_pem()}"
ENVELOPE = sign_bundle("sha256:" + "a" * 64, KEY, name="com.acme.a", version="1.0.0", publisher="com.acme")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "trust.pem"
    path.write_text(GOOD)
    return path


@pytest.fixture
def clock():
    return Clock(0.0)


@pytest.fixture
def trust(path, clock):
    trust = open_trust(Settings.load(signing_trust_bundle=str(path)))
    trust._clock, trust._look_at = clock, 0.0
    return trust


def test_a_revocation_that_is_written_into_the_file_counts(trust, path, clock):
    assert not trust.is_revoked(KEY.public.key_id, NOW)
    assert trust.signer(Envelope.parse(ENVELOPE), "com.acme", NOW).key_id == KEY.public.key_id
    path.write_text(REVOKED)
    assert not trust.is_revoked(KEY.public.key_id, NOW)
    clock.now += LOOK_SECONDS
    assert trust.is_revoked(KEY.public.key_id, NOW)
    assert trust.with_keys([]).is_revoked(KEY.public.key_id, NOW)
    with pytest.raises(OrielError, match="revoked"):
        trust.signer(Envelope.parse(ENVELOPE), "com.acme", NOW)


@pytest.mark.parametrize("spoil", [lambda path: path.write_text("Revoked: soon\n" + GOOD), lambda path: path.unlink()])
def test_what_cannot_be_read_lets_nothing_pass_until_it_is_mended(trust, path, clock, spoil):
    spoil(path)
    clock.now += LOOK_SECONDS
    for ask in (lambda: trust.is_revoked("k", NOW), lambda: trust.with_keys([])):
        with pytest.raises(OrielError) as refused:
            ask()
        assert refused.value.code == "unavailable"
    path.write_text(GOOD)
    clock.now += LOOK_SECONDS
    assert not trust.is_revoked(KEY.public.key_id, NOW)


def test_text_in_the_environment_is_what_it_was(path):
    assert not isinstance(open_trust(Settings.load(signing_trust_bundle=GOOD)), TrustFile)
    assert not isinstance(open_trust(Settings.load()), TrustFile)


def test_a_bundle_that_is_none_stops_the_start(path):
    path.write_text("Revoked: soon\n" + GOOD)
    with pytest.raises(InvalidInput):
        open_trust(Settings.load(signing_trust_bundle=str(path)))

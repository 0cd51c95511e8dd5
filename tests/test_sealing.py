import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oriel.errors import OrielError
from oriel.sealing import DataKey, Sealed, Sealer

VALUE = b"sk_live_0123456789"


class Keys:
    """Data keys in memory."""

    def __init__(self) -> None:
        self.keys: list[DataKey] = []
        self.rotate()

    def rotate(self) -> None:
        self.keys.append(DataKey(f"key_{len(self.keys)}", AESGCM(os.urandom(32))))

    def current(self) -> DataKey:
        return self.keys[-1]

    def by_id(self, key_id: str) -> DataKey | None:
        return next((key for key in self.keys if key.key_id == key_id), None)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def sealer(keys: Keys) -> Sealer:
    return Sealer(keys)


def test_a_sealed_value_opens_for_its_own_place(sealer):
    sealed = sealer.seal("ten_a", "ins_1", "API_KEY", VALUE)
    assert sealer.open("ten_a", "ins_1", "API_KEY", sealed) == VALUE


def test_an_empty_value_can_be_sealed(sealer):
    assert sealer.open("t", "i", "n", sealer.seal("t", "i", "n", b"")) == b""


def test_the_sealed_form_does_not_contain_the_value(sealer):
    sealed = sealer.seal("ten_a", "ins_1", "API_KEY", VALUE)
    assert VALUE not in sealed.ciphertext
    assert len(sealed.ciphertext) == len(VALUE) + 16


def test_every_value_has_a_nonce_of_its_own(sealer):
    nonces = {sealer.seal("t", "i", "n", VALUE).nonce for _ in range(1000)}
    assert len(nonces) == 1000
    assert {len(nonce) for nonce in nonces} == {12}


@pytest.mark.parametrize(
    "place",
    [("ten_b", "ins_1", "API_KEY"), ("ten_a", "ins_2", "API_KEY"), ("ten_a", "ins_1", "OTHER")],
    ids=["another tenant", "another install", "another name"],
)
def test_a_sealed_value_moved_to_another_place_does_not_open(sealer, place):
    sealed = sealer.seal("ten_a", "ins_1", "API_KEY", VALUE)
    with pytest.raises(OrielError) as refused:
        sealer.open(*place, sealed)
    assert refused.value.code == "unavailable"


@pytest.mark.parametrize("place", [("ab", "c", "d"), ("a", "bcd", ""), ("", "abc", "d"), ("a", "b", "cd")])
def test_the_parts_of_a_place_cannot_be_shifted_into_one_another(sealer, place):
    sealed = sealer.seal("a", "bc", "d", VALUE)
    with pytest.raises(OrielError):
        sealer.open(*place, sealed)


def test_one_flipped_bit_anywhere_does_not_open(sealer):
    sealed = sealer.seal("t", "i", "n", VALUE)
    for position in range(len(sealed.ciphertext)):
        changed = bytearray(sealed.ciphertext)
        changed[position] ^= 1
        with pytest.raises(OrielError):
            sealer.open("t", "i", "n", Sealed(sealed.key_id, sealed.nonce, bytes(changed)))


@pytest.mark.parametrize("nonce", [b"", b"short", bytes(12), bytes(200)])
def test_another_nonce_does_not_open(sealer, nonce):
    sealed = sealer.seal("t", "i", "n", VALUE)
    with pytest.raises(OrielError):
        sealer.open("t", "i", "n", Sealed(sealed.key_id, nonce, sealed.ciphertext))


@pytest.mark.parametrize("ciphertext", [b"", b"x", VALUE, bytes(16)])
def test_bytes_that_were_never_sealed_do_not_open(sealer, ciphertext):
    sealed = sealer.seal("t", "i", "n", VALUE)
    with pytest.raises(OrielError) as refused:
        sealer.open("t", "i", "n", Sealed(sealed.key_id, sealed.nonce, ciphertext))
    assert refused.value.code == "unavailable"


def test_a_value_sealed_before_a_rotation_still_opens(sealer, keys):
    sealed = sealer.seal("t", "i", "n", VALUE)
    keys.rotate()
    assert sealer.open("t", "i", "n", sealed) == VALUE
    assert sealer.seal("t", "i", "n", VALUE).key_id != sealed.key_id


def test_an_unknown_key_is_unavailable(sealer):
    sealed = sealer.seal("t", "i", "n", VALUE)
    with pytest.raises(OrielError) as refused:
        sealer.open("t", "i", "n", Sealed("key_9", sealed.nonce, sealed.ciphertext))
    assert refused.value.code == "unavailable"


def test_a_key_source_that_is_away_never_gives_a_plain_form():
    class Away:
        def current(self) -> DataKey:
            raise OrielError("unavailable", "The key service is away.")

        by_id = None

    with pytest.raises(OrielError) as refused:
        Sealer(Away()).seal("t", "i", "n", VALUE)
    assert refused.value.code == "unavailable"


def test_an_error_says_nothing_of_the_value(sealer):
    sealed = sealer.seal("t", "i", "NAME", VALUE)
    with pytest.raises(OrielError) as refused:
        sealer.open("other", "i", "NAME", sealed)
    error = refused.value
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert "sk_live" not in str(error.problem("req"))
    assert sealed.ciphertext.hex() not in str(error.problem("req"))


def test_a_data_key_does_not_print_itself(keys):
    key = bytes(range(32))
    assert key.hex() not in repr(DataKey("k", AESGCM(key)))

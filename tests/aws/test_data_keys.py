"""Data keys under a key of KMS, on moto: sealed there, opened by another process, closed where the service is not."""

import pytest

from oriel.aws import Target
from oriel.aws.keys import DATA_KEY_SECONDS, KmsDataKeys
from oriel.aws.services import JsonClient
from oriel.errors import OrielError
from oriel.sealing import Sealed, Sealer
from tests.support.aws import CREDENTIALS, REGION, target

PLACE = ("ten_a", "ins_1", "API_KEY")
VALUE = b"sk_live_0123456789"


@pytest.fixture(scope="module")
def kms():
    client = JsonClient("kms", target("kms"), CREDENTIALS)
    yield client
    client.close()


@pytest.fixture
def key_id(kms):
    return kms.create_key(Description="data")["KeyMetadata"]["KeyId"]


@pytest.fixture
def open_sealer(key_id):
    """Makes a sealer like a process of its own."""
    opened = []

    def make(**more):
        keys = KmsDataKeys(target(key_id), CREDENTIALS, **more)
        opened.append(keys)
        return Sealer(keys)

    yield make
    for keys in opened:
        keys.close()


def refused(work, *args):
    with pytest.raises(OrielError) as error:
        work(*args)
    assert error.value.code == "unavailable"
    assert VALUE.decode() not in str(error.value.problem("req"))


def test_what_one_process_sealed_another_opens(open_sealer):
    sealed = open_sealer().seal(*PLACE, VALUE)
    assert open_sealer().open(*PLACE, sealed) == VALUE
    assert VALUE not in sealed.ciphertext


@pytest.mark.parametrize("place", [("ten_b", *PLACE[1:]), (PLACE[0], "ins_2", PLACE[2]), (*PLACE[:2], "OTHER")])
def test_a_sealed_value_moved_to_another_place_does_not_open(open_sealer, place):
    sealer = open_sealer()
    refused(sealer.open, *place, sealer.seal(*PLACE, VALUE))


def test_one_data_key_serves_for_a_time_and_then_another(open_sealer):
    now = [0.0]
    sealer = open_sealer(clock=lambda: now[0])
    first, same = (sealer.seal(*PLACE, VALUE) for _ in range(2))
    now[0] = DATA_KEY_SECONDS
    later = sealer.seal(*PLACE, VALUE)
    assert first.key_id == same.key_id != later.key_id
    assert {sealer.open(*PLACE, sealed) for sealed in (first, later)} == {VALUE}


def test_a_rotation_makes_a_new_key_and_reseals_under_it(open_sealer):
    sealer = open_sealer()
    before = sealer.seal(*PLACE, VALUE)
    key_id = sealer.rotate()
    after = open_sealer().reseal(*PLACE, before, key_id)
    assert (after.key_id, sealer.seal(*PLACE, VALUE).key_id) == (key_id, key_id)
    assert key_id != before.key_id
    assert open_sealer().open(*PLACE, after) == VALUE


def test_a_key_that_is_not_there_seals_nothing():
    gone = Sealer(KmsDataKeys(target("00000000-0000-0000-0000-000000000000"), CREDENTIALS))
    refused(gone.seal, *PLACE, VALUE)
    refused(gone.rotate)


@pytest.mark.parametrize("foreign", ["", "bm90IG9uZQ==", "not base64", "k" * 400])
def test_a_data_key_that_is_none_of_this_key_opens_nothing(open_sealer, foreign):
    sealer = open_sealer()
    sealed = sealer.seal(*PLACE, VALUE)
    refused(sealer.open, *PLACE, Sealed(foreign, sealed.nonce, sealed.ciphertext))


def test_where_the_service_does_not_answer_there_is_no_plain_form():
    nowhere = Sealer(KmsDataKeys(Target("key", REGION, "http://127.0.0.1:9"), CREDENTIALS))
    refused(nowhere.seal, *PLACE, VALUE)
    refused(nowhere.rotate)

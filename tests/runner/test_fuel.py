"""Fuel, where the operator has it counted: from the setting to the end of a guest."""

import pytest

from oriel.engine.config import current_fingerprint
from oriel.keyring import Keyring
from oriel.settings import Settings
from oriel.signing import SigningKey
from runner.assembly import build_runner
from tests.guests import hostile
from tests.guests.build import compiled
from tests.runner.small_platform import Platform, digest


@pytest.fixture
def counting(tmp_path):
    """A platform whose operator has fuel counted, and its runner."""
    settings = Settings.load(data_dir=tmp_path, max_fuel=10_000_000)
    keyring = Keyring.open(settings.keyring_path, create=True)
    platform = Platform(tmp_path)
    platform.key, platform.fingerprint = SigningKey(keyring.platform_key), current_fingerprint(fuel=True)
    runner = build_runner(settings, keyring)
    yield platform, runner
    runner.close()
    platform.close()


def test_a_guest_that_uses_up_its_fuel_ends_and_a_good_one_tells_what_it_used(counting, make_request):
    platform, runner = counting

    def execute(wasm):
        content_hash = platform.store(digest(wasm), compiled(wasm, fuel=True).cwasm)
        return runner.execute(make_request(context={"content_hash": content_hash}, limits={"fuel": 1_000_000}))

    looping = execute(hostile.LOOP)
    assert (looping.error.code, looping.receipt.fuel) == ("fuel_exhausted", 1_000_000)
    good = execute(hostile.HELLO)
    assert good.body() == b"hello"
    assert 0 < good.receipt.fuel < 100_000


def test_a_limit_of_fuel_is_not_ignored_where_none_is_counted(platform, make_request):
    published = {"content_hash": platform.publish(hostile.HELLO)}
    answer = platform.runner().execute(make_request(context=published, limits={"fuel": 1}))
    assert answer.error.code == "unavailable"

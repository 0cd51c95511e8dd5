import pytest
import wasmtime

from oriel.engine.config import new_engine
from runner.memory import PAGE_BYTES, GuestMemory

LIMIT = 64 << 20


@pytest.fixture
def place():
    engine = new_engine(pooled=True)
    store = wasmtime.Store(engine)
    yield engine, GuestMemory(engine), store
    store.close()


def instance(engine, store, pages):
    module = wasmtime.Module(engine, f'(module (memory (export "memory") {pages}))')
    store.set_epoch_deadline(1)
    return wasmtime.Instance(store, module, []).exports(store)["memory"]


@pytest.mark.parametrize("pages", [1, 2, 3, 500, 1023, 1024])
def test_the_size_of_a_memory_is_exact(place, pages):
    engine, guest, store = place
    made = instance(engine, store, pages)
    assert guest.size(LIMIT) == made.data_len(store) == pages * PAGE_BYTES


def test_growth_is_seen_untouched_or_not(place):
    engine, guest, store = place
    grown = instance(engine, store, 10)
    grown.grow(store, 90)
    assert guest.size(LIMIT) == 100 * PAGE_BYTES


def test_a_small_instance_after_a_large_one_is_small(place):
    engine, guest, store = place
    instance(engine, store, 900)
    store.close()
    following = wasmtime.Store(engine)
    instance(engine, following, 3)
    assert guest.size(LIMIT) == 3 * PAGE_BYTES
    following.close()


def test_other_engines_memories_are_not_seen(place):
    engine, guest, store = place
    other = new_engine(pooled=True)
    beside = wasmtime.Store(other)
    instance(engine, store, 5)
    instance(other, beside, 700)
    assert guest.size(LIMIT) == 5 * PAGE_BYTES
    beside.close()

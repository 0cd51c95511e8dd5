import mmap

import wasmtime

from oriel.engine.config import new_engine
from runner.memory import largest_linear_memory, private_bytes

MEGABYTE = 1 << 20


def test_private_memory_grows_by_what_is_mapped_touched_or_not():
    before = private_bytes()
    with mmap.mmap(-1, 64 * MEGABYTE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS):
        assert 63 * MEGABYTE <= private_bytes() - before <= 65 * MEGABYTE


def test_the_largest_linear_memory_is_found_and_forgotten_with_its_store():
    engine = new_engine()
    store = wasmtime.Store(engine)
    small = wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(1, None)))
    large = wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(900, None)))
    assert largest_linear_memory() == large.data_len(store) == 900 * 65_536
    large.grow(store, 50)
    assert largest_linear_memory() == 950 * 65_536
    assert small.data_len(store) == 65_536
    store.close()
    assert largest_linear_memory() < 900 * 65_536

"""How large a guest's memory is: the C API does not tell, so it is read off the address space.

An engine with room for one instance has its linear memory at one address for ever. From there on it is accessible as
far as the guest has grown it, to the page, and not a byte further: the kernel is asked about single addresses, and
halving finds the end. That is exact whatever other guests do at the same time, also after a trap, and takes a
hundredth of a millisecond or three.
"""

import ctypes
import os
from functools import cache

import wasmtime

PAGE_BYTES = 1 << 16
_ONE_MEMORY = '(module (memory (export "memory") 1))'

_write = ctypes.PyDLL(None)["pwrite"]  # keeps the GIL: a call takes less than handing it over
_write.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64)
_write.restype = ctypes.c_ssize_t


class GuestMemory:
    """The memory of whatever instance an engine has now, or had last.

    Args:
        engine: with room for one instance (`oriel.engine.config.new_engine`), and none in it.
    """

    def __init__(self, engine: wasmtime.Engine) -> None:
        store = wasmtime.Store(engine)
        store.set_epoch_deadline(1)
        memory = wasmtime.Instance(store, wasmtime.Module(engine, _ONE_MEMORY), []).exports(store)["memory"]
        if not isinstance(memory, wasmtime.Memory):
            raise TypeError("the module's only export is a memory")
        self._base = ctypes.addressof(memory.data_ptr(store).contents)
        store.close()

    def size(self, limit: int) -> int:
        """Its size in bytes, of which it has `limit` at most."""
        low, high, sink = 0, limit // PAGE_BYTES, _sink()
        while low < high:
            middle = (low + high + 1) // 2
            accessible = _write(sink, self._base + middle * PAGE_BYTES - 1, 1, 0) == 1
            low, high = (middle, high) if accessible else (low, middle - 1)
        return low * PAGE_BYTES


@cache
def _sink() -> int:
    """A file in memory to write single bytes to: the kernel refuses what cannot be read, where a read would crash."""
    return os.memfd_create("oriel-probe", os.MFD_CLOEXEC)

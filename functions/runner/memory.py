"""How large a guest's memory is, and what of it was written: the C API does not tell, so it is read off the kernel.

An engine with room for one instance has its linear memory at one address for ever. From there on it is accessible as
far as the guest has grown it, to the page, and not a byte further: the kernel is asked about single addresses, first
around the size of the last time, and halving finds the end. That is exact whatever other guests do at the same time,
also after a trap, and takes a hundredth of a millisecond or two.
"""

import ctypes
import os
from array import array
from functools import cache
from pathlib import Path

import wasmtime

PAGE_BYTES = 1 << 16
KERNEL_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PRESENT, _OF_A_FILE, _OF_ONE_PLACE = 1 << 63, 1 << 61, 1 << 56  # bits of an entry of /proc/self/pagemap
_WRITTEN = _PRESENT | _OF_ONE_PLACE  # neither the image's, which is a file, nor the kernel's one page of zeros
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
        self._last = 0

    def size(self, limit: int) -> int:
        """Its size in bytes, of which it has `limit` at most."""
        low, high, sink = 0, limit // PAGE_BYTES, _sink()
        likely = iter((self._last, self._last + 1))
        while low < high:
            middle = next(likely, 0)
            if not low < middle <= high:
                middle = (low + high + 1) // 2
            accessible = _write(sink, self._base + middle * PAGE_BYTES - 1, 1, 0) == 1
            low, high = (middle, high) if accessible else (low, middle - 1)
        self._last = low
        return low * PAGE_BYTES

    def written(self, limit: int) -> set[int]:
        """The kernel's pages of it, by their numbers, that were written to since the instance was made.

        Args:
            limit: of its size in bytes.

        Raises:
            OSError: the kernel does not show them.
        """
        first, count = self._base // KERNEL_PAGE_BYTES, self.size(limit) // KERNEL_PAGE_BYTES
        with Path("/proc/self/pagemap").open("rb", buffering=0) as pages:
            entries = array("Q", os.pread(pages.fileno(), 8 * count, 8 * first))
        return {first + at for at, entry in enumerate(entries) if entry & (_WRITTEN | _OF_A_FILE) == _WRITTEN}


@cache
def _sink() -> int:
    """A file in memory to write single bytes to: the kernel refuses what cannot be read, where a read would crash."""
    return os.memfd_create("oriel-probe", os.MFD_CLOEXEC)

"""Memory for the values of one call, freed as a whole.

The engine only reads a call's arguments, and copies what a host function hands over, so values are built in Python's
own memory: blocks with a known address, filled from the front.
"""

import ctypes

_BLOCK = 16 * 1024
_BYTE = ctypes.c_char


class Arena:
    """Blocks that live as long as the arena. Not for several threads at once."""

    __slots__ = ("_address", "_kept", "_size", "_used", "_view")

    def __init__(self) -> None:
        self._kept: list[object] = []
        self._used = 0
        self._open(_BLOCK)

    def reserve(self, size: int) -> tuple[memoryview, int, int]:
        """Room for `size` bytes, aligned to 8: the block to write into, the offset in it, the address of that place."""
        start = self._used
        if start + size > self._size:
            self._open(max(size, _BLOCK))
            start = 0
        self._used = (start + size + 7) & ~7
        return self._view, start, self._address + start

    def put(self, data: bytes) -> int:
        """The address of a copy of `data`."""
        view, start, address = self.reserve(len(data))
        view[start : start + len(data)] = data
        return address

    def keep(self, block: bytearray) -> int:
        """The address of `block` itself, which must not be resized while the arena lives."""
        pinned = _BYTE.from_buffer(block)
        self._kept.append(pinned)
        return ctypes.addressof(pinned)

    def _open(self, size: int) -> None:
        block = bytearray(size)
        self._address = self.keep(block)
        self._view = memoryview(block)
        self._size = size
        self._used = 0

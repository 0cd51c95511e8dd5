"""Memory for the values of one call, freed as a whole.

The engine only reads a call's arguments, and copies what a host function hands over, so values are built in Python's
own memory: blocks with a known address, filled from the front. Handles are the exception: the engine's own form of them
is freed by `release`, once it has been copied.
"""

import ctypes

from runner import capi
from runner.codec.handles import Handles
from runner.codec.text import utf8_of

_BLOCK = 16 * 1024
_BYTE = ctypes.c_char


class Arena:
    """Blocks that live as long as the arena. Not for several threads at once.

    Args:
        handles: the store's, where values may hold resources.
    """

    __slots__ = ("_address", "_handles", "_kept", "_lent", "_size", "_used", "_view")

    def __init__(self, handles: Handles | None = None) -> None:
        self._handles = handles
        self._lent: list[int] = []
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

    def put_text(self, text: str) -> tuple[int, int]:
        """Size and address of a copy of a string, in UTF-8. `UnicodeEncodeError` for a lone surrogate."""
        data = text.encode()
        return len(data), self.put(data)

    def hold(self, text: str) -> tuple[int, int]:
        """The same without a copy into the arena, which holds what has it as long as it lives."""
        holder, size, address = utf8_of(text)
        self._kept.append(holder)
        return size, address

    def keep(self, block: bytearray) -> int:
        """The address of `block` itself, which must not be resized while the arena lives."""
        pinned = _BYTE.from_buffer(block)
        self._kept.append(pinned)
        return ctypes.addressof(pinned)

    def own(self, resource: str, value: object) -> int:
        """The address of the engine's form of `value`, given away as a resource; valid until `release`.

        Raises:
            TypeError: there is no store to give it to.
            TooManyHandles
        """
        if self._handles is None:
            raise TypeError(f"there is no table for a handle of {resource}")
        address = self._handles.lower(resource, value)
        self._lent.append(address)
        return address

    def release(self) -> None:
        """Free the handles' forms; the values have been used."""
        for address in self._lent:
            capi.any_delete(address)
        self._lent.clear()

    def _open(self, size: int) -> None:
        block = bytearray(size)
        self._address = self.keep(block)
        self._view = memoryview(block)
        self._size = size
        self._used = 0

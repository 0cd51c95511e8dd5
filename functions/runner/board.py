"""What a worker is busy with, in memory that outlives it.

The engine aborts its process when it panics, and the kernel kills without asking, so a worker cannot say what it
was doing when it ended. It therefore writes the executions inside it on a board shared with the supervisor: a
write or two of memory per request, and no file.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import NamedTuple

from oriel.contract import ExecutionContext

SLOT_BYTES = 512
SEPARATOR = "\x1f"
_WAITING = slice(4, 8)  # in slot 0


class Inside(NamedTuple):
    """One execution on a board."""

    execution_id: str
    tenant_id: str
    install_id: str
    extension_id: str
    content_hash: str


class Board:
    """A row of slots; slot 0 tells whether the worker is ready and how many wait, each other one an execution.

    Args:
        descriptor: of a memory file of `(slots + 1) * SLOT_BYTES`, as `create` makes it; it stays the caller's.
    """

    def __init__(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        self._memory = mmap.mmap(descriptor, size)
        self._free: SimpleQueue[int] = SimpleQueue()
        for start in range(SLOT_BYTES, size, SLOT_BYTES):
            self._free.put(start)

    @staticmethod
    def create(slots: int) -> int:
        """The descriptor of a new, empty board; inherited by no process unless it is passed on."""
        descriptor = os.memfd_create("oriel-board", os.MFD_CLOEXEC)
        os.ftruncate(descriptor, (slots + 1) * SLOT_BYTES)
        return descriptor

    @property
    def ready(self) -> bool:
        return self._memory[0] == 1

    def mark_ready(self) -> None:
        self._memory[0] = 1

    @property
    def waiting(self) -> int:
        """How many executions wait for a thread."""
        return int.from_bytes(self._memory[_WAITING], "little")

    def mark_waiting(self, count: int) -> None:
        self._memory[_WAITING] = count.to_bytes(4, "little")

    @contextmanager
    def inside(self, context: ExecutionContext) -> Iterator[None]:
        """Keep an execution on the board while it runs. There must be a slot for each thread that runs one."""
        ids = Inside(*(getattr(context, name) for name in Inside._fields))
        entry = SEPARATOR.join(ids).encode()[: SLOT_BYTES - 1]
        start = self._free.get()
        self._memory[start : start + len(entry) + 1] = entry + b"\0"
        try:
            yield
        finally:
            self._memory[start] = 0
            self._free.put(start)

    def entries(self) -> tuple[Inside, ...]:
        """What is on the board now."""
        starts = range(SLOT_BYTES, len(self._memory), SLOT_BYTES)
        texts = (self._memory[start : start + SLOT_BYTES].partition(b"\0")[0] for start in starts)
        parts = (text.decode(errors="replace").split(SEPARATOR) for text in texts if text)
        return tuple(Inside(*ids) for ids in parts if len(ids) == len(Inside._fields))

    def close(self) -> None:
        self._memory.close()

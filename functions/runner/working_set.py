"""The pages that a component writes in every run, copied for it in one system call.

A fresh instance's memory is the component's image, of which a page is copied when it is first written to. Each of these
page faults costs more than the copy; a JavaScript guest has 150 of them in every run, most of them on the same pages.

Rules kept here:

- What a guest finds in its memory is the image, as before: what changes is when a page is copied.
- Pages are learned from the first runs of a component in a lane, and only those that each of them wrote are kept. So
  no run pays for a page that other requests need.
- It is never needed. Where the kernel cannot do it (Linux before 6.15) or does not show the pages, nothing is done.
"""

import ctypes
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import zip_longest

from runner.memory import KERNEL_PAGE_BYTES, GuestMemory

RUNS_LEARNED = 4
_PROCESS_MADVISE = 440  # the number on every architecture that Linux has
_THIS_PROCESS = -10_000  # PIDFD_SELF
_POPULATE_WRITE = 23  # MADV_POPULATE_WRITE
_MAX_RANGES = 1_024  # IOV_MAX
_BRIDGED_PAGES = 2  # not written themselves, between two that are: copying them costs less than another range


class _Range(ctypes.Structure):
    """`struct iovec`."""

    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))


_system_call = ctypes.CDLL(None)["syscall"]
_system_call.argtypes = (ctypes.c_long,) * 2 + (ctypes.c_void_p,) + (ctypes.c_long,) * 3
_system_call.restype = ctypes.c_long


class WorkingSet:
    """Of one component in one lane, whose memory lies where it always lies. One run at a time."""

    def __init__(self) -> None:
        self._runs_to_learn = RUNS_LEARNED if is_supported() else 0
        self._pages: set[int] | None = None
        self._ranges: ctypes.Array[_Range] | None = None

    @property
    def pages(self) -> frozenset[int]:
        """The numbers of the pages that each learned run wrote: addresses in units of the kernel's pages."""
        return frozenset(self._pages or ())

    def copy(self) -> None:
        """Before a run, with the instance made: copy the pages that it will write, if they are known."""
        if self._ranges is not None:
            _populate(self._ranges)

    def learn(self, memory: GuestMemory, limit: int) -> None:
        """After a run, with the instance still there: look at what it wrote, if more is to be learned.

        Args:
            limit: of the memory's size in bytes.
        """
        if not self._runs_to_learn:
            return
        self._runs_to_learn -= 1
        try:
            written = memory.written(limit)
        except OSError:  # where processes may not look at their own pages
            self._runs_to_learn = 0
            return
        self._pages = written if self._pages is None else self._pages & written
        if not self._runs_to_learn and self._pages:
            ranges = [_Range(*each) for each in _bridged(sorted(self._pages))][:_MAX_RANGES]
            self._ranges = (_Range * len(ranges))(*ranges)


@cache
def is_supported() -> bool:
    """Whether the kernel copies pages of this process for it: it judges the request before it looks at the ranges."""
    return _populate((_Range * 0)()) == 0


def _populate(ranges: "ctypes.Array[_Range]") -> int:
    """Up to the first range that is not there: memory that the guest will grow is not accessible yet."""
    done: int = _system_call(_PROCESS_MADVISE, _THIS_PROCESS, ranges, len(ranges), _POPULATE_WRITE, 0)
    return done


def _bridged(pages: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Start and length in bytes of the ranges that hold ascending pages."""
    first = pages[0]
    for page, following in zip_longest(pages, pages[1:]):
        if following is None or following - page > _BRIDGED_PAGES + 1:
            yield first * KERNEL_PAGE_BYTES, (page + 1 - first) * KERNEL_PAGE_BYTES
            first = following

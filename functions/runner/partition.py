"""CPUs for heavy work and CPUs for all else, while there is heavy work.

A thread that wakes while every CPU is busy is queued on the one where it ran last. Where a guest computes there, it
waits for the end of a time slice, some milliseconds, and an ordinary request wakes threads half a dozen times. So while
heavy work runs, its threads have the last CPUs of the process to themselves, one for each of them, and the others have
the rest, at least one. Processes of one machine count their CPUs alike, so that heavy work meets heavy work.

It needs no privilege, as a lower priority would that is to be raised again. A process that is started meanwhile
inherits its starter's part for good: nothing that runs guests starts any.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_THREADS = Path("/proc/self/task")


class Partition:
    """Of the CPUs that this process may use when it is made."""

    def __init__(self) -> None:
        self._cpus = sorted(os.sched_getaffinity(0))
        self._changing = threading.Lock()
        self._heavy: set[int] = set()  # threads, by the kernel's numbers

    @contextmanager
    def heavy(self) -> Iterator[None]:
        """This thread does heavy work inside."""
        thread = threading.get_native_id()
        with self._changing:
            self._heavy.add(thread)
            self._apply()
        try:
            yield
        finally:
            with self._changing:
                self._heavy.remove(thread)
                self._apply()

    def _apply(self) -> None:
        others, heavy = divided(self._cpus, len(self._heavy))
        for thread in (int(entry.name) for entry in _THREADS.iterdir()):
            with suppress(OSError):  # a thread that has ended, or CPUs that were taken from the process
                os.sched_setaffinity(thread, heavy if thread in self._heavy else others)


def divided(cpus: Sequence[int], heavy: int) -> tuple[Sequence[int], Sequence[int]]:
    """The CPUs of the other threads, and those of so many heavy ones; all for both where there is one."""
    apart = min(heavy, len(cpus) - 1)
    return (cpus[:-apart], cpus[-apart:]) if apart else (cpus, cpus)

"""How much memory a guest has, as the kernel sees it: the C API does not tell.

Linear memories are private writable mappings. Two measures, both Linux:

- `private_bytes`, a microsecond: the process's private writable memory. Its growth over a run is the guest's
  memories and tables, exact to the little that Python itself allocates meanwhile, as long as the process runs one
  guest at a time; where several overlap, the growth of the others is in it.
- `largest_linear_memory`, a tenth of a millisecond and more: the largest linear memory mapped now. Only asked for
  when a guest has failed, to tell why.
"""

import os

_PAGE = os.sysconf("SC_PAGE_SIZE")
_GUARD_BYTES = 1 << 30  # the address space behind a linear memory is reserved in gibibytes; nothing else here is


def private_bytes() -> int:
    """The process's private writable memory in bytes, touched or not."""
    with open("/proc/self/statm", "rb", buffering=0) as statm:  # noqa: PTH123 - no path object on the hot path
        return int(statm.read().split()[5]) * _PAGE


def largest_linear_memory() -> int:
    """The size in bytes of the largest linear memory in this process; 0 where there is none.

    A linear memory is a row of adjoining readable and writable mappings with a reserve of address space behind it.
    """
    largest = row = row_end = 0
    with open("/proc/self/maps", "rb") as maps:  # noqa: PTH123
        for line in maps:
            bounds, permissions = line.split(maxsplit=2)[:2]
            start, end = (int(bound, 16) for bound in bounds.split(b"-"))
            if permissions == b"rw-p":
                row = (row if start == row_end else 0) + end - start
                row_end = end
            elif permissions == b"---p" and end - start >= _GUARD_BYTES and start == row_end:
                largest = max(largest, row)
    return largest

"""The archive in a bundle: POSIX ustar, and of its many spellings exactly one.

Rules kept here:

- A set of files has one archive, byte for byte: names in ascending order, mode 0644, owner 0, time 0, zeros for
  padding, two zero blocks at the end and nothing after them.
- So reading is writing in reverse: a header is taken only if it is the one that would be written for its name and
  size. Links, devices, directories, sparse files, PAX and GNU records, duplicate names, other modes and wrong
  checksums are all a header that differs; none of them needs a rule of its own.
- Names are plain ASCII without hidden or empty segments (`oriel.manifest.values.bundle_file`).

The reader holds one file at a time, and stops at the first refusal.

Source: POSIX.1-2017, pax, "ustar Interchange Format".
"""

import tarfile
from collections.abc import Iterator, Mapping
from typing import Protocol

from oriel.errors import OrielError
from oriel.manifest.values import bundle_file
from oriel.strict_json import shown

BLOCK = 512
MAX_ENTRIES = 5_000  # a large UI has some hundred files; each one is an object to store and to serve
MAX_NAME = 200  # with the prefix of its place in a bucket still far below the 1,024 bytes of an S3 key
_ZEROS = bytes(BLOCK)
_KINDS: Mapping[bytes, str] = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"5": "a directory",
    b"6": "a FIFO",
    b"g": "a PAX record",
    b"x": "a PAX record",
    b"L": "a GNU long name",
    b"K": "a GNU long link",
    b"S": "a sparse file",
}


class Source(Protocol):
    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, none at the end."""
        ...


def write_tar(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files.

    Raises:
        OrielError: `invalid_bundle`, for a name that may not stand in a bundle or too many files.
    """
    if len(files) > MAX_ENTRIES:
        raise _too_many()
    parts = []
    for name in sorted(files):
        data = files[name]
        parts += [_header(name, len(data)), data, _padding(len(data))]
    return b"".join([*parts, _ZEROS, _ZEROS])


def read_tar(source: Source, *, max_size: Mapping[str, int], default_max_size: int) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, in ascending order of their names.

    Args:
        max_size: for some names, the most bytes they may have.
        default_max_size: the same for all others.

    Raises:
        OrielError: `invalid_bundle`, naming the entry.
    """
    previous, entries = "", 0
    while (header := _exactly(source, BLOCK)) != _ZEROS:
        entries += 1
        if entries > MAX_ENTRIES:
            raise _too_many()
        name, size = _read_header(header)
        if name <= previous:
            how = "stands twice" if name == previous else f"stands after {shown(previous)}; names must ascend"
            raise _refused(name, how)
        if size > (limit := max_size.get(name, default_max_size)):
            raise _refused(name, f"has {size:,} bytes; at most {limit:,} are allowed")
        data = _exactly(source, size)
        if _exactly(source, -size % BLOCK) != _padding(size):
            raise _refused(name, "is followed by bytes that belong to nothing")
        yield name, data
        previous = name
    if _exactly(source, BLOCK) != _ZEROS or source.read(1):
        raise OrielError("invalid_bundle", "The archive has bytes after its end.")


def _read_header(header: bytes) -> tuple[str, int]:
    """Name and size of a header that is exactly the one `write_tar` writes for them."""
    name = "/".join(part for part in (_field(header, 345, 155), _field(header, 0, 100)) if part)
    kind = header[156:157]
    if kind in _KINDS:
        raise _refused(name, f"is {_KINDS[kind]}; only regular files belong in a bundle")
    try:
        size = int(_field(header, 124, 12), 8)
    except ValueError:
        size = -1
    if size < 0 or _header(name, size) != header:
        raise _refused(name, "has a header in another form than the one of 'oriel pack'")
    return name, size


def _field(header: bytes, start: int, length: int) -> str:
    return header[start : start + length].partition(b"\0")[0].decode("latin-1")


def _header(name: str, size: int) -> bytes:
    try:
        bundle_file(name)
        if len(name) > MAX_NAME:
            raise ValueError(f"has {len(name)} characters; at most {MAX_NAME} are allowed")
        entry = tarfile.TarInfo(name)
        entry.size = size
        return entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    except ValueError as error:
        raise _refused(name, str(error)) from None


def _exactly(source: Source, size: int) -> bytes:
    parts, missing = [], size
    while missing:
        part = source.read(missing)
        if not part:
            raise OrielError("invalid_bundle", "The archive ends in the middle of an entry.")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _refused(name: str, why: str) -> OrielError:
    return OrielError("invalid_bundle", f"The entry {shown(name)} {why}.")


def _too_many() -> OrielError:
    return OrielError("invalid_bundle", f"The bundle has more than {MAX_ENTRIES:,} files.")

"""The compression of a bundle: one zstd frame that says beforehand how large its content is.

Rules kept here:

- Every bound is checked on the frame's own headers, before anything is unpacked: magic, dictionary, window, content
  size, ratio, and where the frame ends. Skippable frames, further frames and trailing bytes are refused.
- What comes out is read in pieces of the reader's choice; the library holds the frame to its announced size.
- One tree gives one frame: fixed parameters, one thread. Other releases of the zstd library may compress otherwise,
  so the release is locked; a bundle of any release unpacks.

Source: RFC 8878.
"""

import zstandard

from oriel.errors import OrielError

MAX_BUNDLE_BYTES = 64_000_000  # what an upload may bring; the gateway's and the functions' memory bounds it
MAX_UNPACKED_BYTES = 256_000_000  # a component of 100 MB already compiles for minutes
MAX_RATIO = 200  # code and web assets reach 3 to 20
FREE_UNPACKED_BYTES = 1_000_000  # below this the ratio says nothing: tar pads small files with zeros
WINDOW_LOG = 23
MAX_WINDOW_BYTES = 1 << WINDOW_LOG  # 8 MiB: what RFC 8878 recommends every decoder to support
LEVEL = 12  # beyond it, seconds for a few per cent

_MAGIC = b"\x28\xb5\x2f\xfd"
_UNKNOWN_SIZE = zstandard.CONTENTSIZE_UNKNOWN
_RLE, _RESERVED = 1, 3
_BYTES_PER_BLOCK = 1_024  # a frame of smaller blocks is made to be slow


def compress(data: bytes) -> bytes:
    """The frame of these bytes, the same one every time."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, source_size=len(data), window_log=WINDOW_LOG, write_content_size=1, write_checksum=1, threads=0
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(data)


class Frame:
    """The content of a frame, read in pieces.

    Raises:
        OrielError: `bundle_too_large` or `invalid_bundle`; at once where the headers tell, else from `read`.
    """

    def __init__(self, data: bytes) -> None:
        self.size = _checked_size(data)
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        self._reader = decompressor.stream_reader(data, read_across_frames=False)

    def read(self, size: int, /) -> bytes:
        try:
            return self._reader.read(size)
        except zstandard.ZstdError:
            raise _refused("is damaged: it cannot be unpacked") from None


def _checked_size(data: bytes) -> int:
    """The size of the content, once the frame is known to be alone, whole and within bounds."""
    if not data.startswith(_MAGIC):
        raise _refused("is not compressed with zstd")
    try:
        parameters = zstandard.get_frame_parameters(data)
        start = zstandard.frame_header_size(data)
    except zstandard.ZstdError:
        raise _refused("has a damaged zstd header") from None
    size = parameters.content_size
    if parameters.dict_id:
        raise _refused("needs a zstd dictionary")
    if size == _UNKNOWN_SIZE:
        raise _refused("does not say how large its content is")
    if size > MAX_UNPACKED_BYTES:
        raise _too_large(f"unpacks to {size:,} bytes; at most {MAX_UNPACKED_BYTES:,} are allowed")
    if size > max(FREE_UNPACKED_BYTES, MAX_RATIO * len(data)):
        raise _too_large(f"unpacks to {size:,} bytes, more than {MAX_RATIO} times its own size")
    if parameters.window_size > MAX_WINDOW_BYTES:
        raise _refused(f"needs a zstd window of {parameters.window_size:,} bytes; {MAX_WINDOW_BYTES:,} are allowed")
    end = _end_of_blocks(data, start, most=size // _BYTES_PER_BLOCK + 64) + 4 * parameters.has_checksum
    if end > len(data):
        raise _refused("is cut off")
    if end < len(data):
        raise _refused(f"has {len(data) - end:,} bytes after its end")
    return size


def _end_of_blocks(data: bytes, start: int, *, most: int) -> int:
    """Where the last block ends (RFC 8878, 3.1.1.2); past the data's end where they are cut off."""
    for _ in range(most):
        header = int.from_bytes(data[start : start + 3], "little")
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        if kind == _RESERVED:
            raise _refused("has a damaged block")
        start += 3 + (1 if kind == _RLE else size)
        if last or start > len(data):
            return start
    raise _refused("is made of too many small blocks")


def _refused(why: str) -> OrielError:
    return OrielError("invalid_bundle", f"The bundle {why}.")


def _too_large(why: str) -> OrielError:
    return OrielError("bundle_too_large", f"The bundle {why}.")

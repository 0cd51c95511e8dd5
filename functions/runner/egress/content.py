"""Bodies of answers, decoded as they come and within a bound.

Rules kept here:

- No more than the bound is ever in memory, however little of it came over the wire.
- One coding is undone, of those we offer (`ACCEPTED`). A pile of codings is left as it is: each would multiply.
"""

import zlib
from collections.abc import Callable, Mapping
from typing import Final

from runner.egress.model import EgressError

ACCEPTED: Final = "gzip, deflate"
_GZIP: Final = 16 + zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS


class BodyReader:
    """Collects one body. `decodes` says whether the content coding is undone."""

    def __init__(self, coding: str, limit: int) -> None:
        self._limit = limit
        self._body = bytearray()
        start = _CODINGS.get(coding)
        self.decodes = start is not None
        self._decoder = start() if start else None

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            EgressError: `too-large` past the limit, `protocol` where the coding is broken.
        """
        if self._decoder is None:
            self._add(data)
        else:
            try:
                self._decoder.feed(data, self._add, self._limit)
            except zlib.error:
                raise EgressError("protocol", "The answer's content coding is broken.") from None

    def finish(self) -> bytes:
        """The whole body. `EgressError("protocol")` where its coding broke off."""
        if self._decoder is not None and not self._decoder.is_complete():
            raise EgressError("protocol", "The answer's content coding breaks off.")
        return bytes(self._body)

    def _add(self, data: bytes) -> None:
        if len(self._body) + len(data) > self._limit:
            raise EgressError("too-large", f"The answer's body is over {self._limit:,} bytes.")
        self._body += data


class _Inflater:
    """zlib, member after member (RFC 1952, section 2.2, allows several in one gzip body)."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._stream = zlib.decompressobj(window)
        self._started = False

    def feed(self, data: bytes, add: Callable[[bytes], None], limit: int) -> None:
        self._started = self._started or bool(data)
        while data:
            if self._stream.eof:
                if self._window != _GZIP:
                    return
                self._stream = zlib.decompressobj(self._window)
            # One byte more than may be kept is enough to see that it is too much.
            add(self._stream.decompress(data, limit + 1))
            data = self._stream.unconsumed_tail or self._stream.unused_data

    def is_complete(self) -> bool:
        return self._stream.eof or not self._started


class _Deflate(_Inflater):
    """`deflate` is zlib's form by the standard, and the raw one by some servers: the first byte tells."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)

    def feed(self, data: bytes, add: Callable[[bytes], None], limit: int) -> None:
        if data and not self._started and data[0] & 0x0F != 8:
            self._window = _RAW
            self._stream = zlib.decompressobj(_RAW)
        super().feed(data, add, limit)


_CODINGS: Final[Mapping[str, Callable[[], _Inflater]]] = {
    "gzip": lambda: _Inflater(_GZIP),
    "x-gzip": lambda: _Inflater(_GZIP),
    "deflate": _Deflate,
}

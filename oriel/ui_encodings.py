"""The encoded forms of a UI's files, made once, at publish.

Rules kept here: which files have them is decided by `oriel.ui.shrinks` alone; the work is bounded by the bundle's own
size, for the quality is one that takes about as long as unpacking did.
"""

import gzip
from collections.abc import Callable, Iterator, Mapping

import brotli

from oriel.ui import ENCODINGS, Encoding, shrinks

_ENCODERS: Mapping[Encoding, Callable[[bytes], bytes]] = {
    "br": lambda data: bytes(brotli.compress(data, quality=9)),
    "gzip": lambda data: gzip.compress(data, 9, mtime=0),
}


def encodings_of(path: str, data: bytes) -> Iterator[tuple[Encoding, bytes]]:
    """Every encoded form of one file; none where its type does not shrink."""
    if shrinks(path):
        for encoding in ENCODINGS:
            yield encoding, _ENCODERS[encoding](data)

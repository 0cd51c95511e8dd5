"""`wasi:io/streams`: bytes in and bytes out, in pieces.

Rules kept here:

- What is read is there already, and what is written is taken at once: no stream is ever waited for.
- A piece is bounded: each byte of a `list<u8>` costs the engine 32.
- What is written is judged by whoever takes it (`Sink`), before it is kept.
"""

from typing import Literal, Protocol, TypeAlias

from oriel.errors import OrielError
from runner.execution import Execution
from runner.wasi.polling import Pollable, Ready

PIECE = 64 * 1024

Closed: TypeAlias = tuple[Literal["err"], tuple[Literal["closed"], None]]
CLOSED: Closed = ("err", ("closed", None))
DONE: tuple[Literal["ok"], None] = ("ok", None)


class Sink(Protocol):
    """Takes what is written to a stream."""

    @property
    def is_open(self) -> bool: ...

    def take(self, execution: Execution, data: bytes) -> None: ...


class InputStream:
    """Reads `data` once, from the front."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def next(self, length: int) -> bytes | None:
        """At most `length` bytes, and at most a piece; None at the end."""
        if self._at >= len(self._data):
            return None
        piece = self._data[self._at : self._at + min(length, PIECE)]
        self._at += len(piece)
        return piece


class OutputStream:
    """Writes to a sink."""

    __slots__ = ("sink",)

    def __init__(self, sink: Sink) -> None:
        self.sink = sink


def read(_execution: Execution, stream: InputStream, length: int) -> tuple[Literal["ok"], bytes] | Closed:
    piece = stream.next(length)
    return CLOSED if piece is None else ("ok", piece)


def skip(_execution: Execution, stream: InputStream, length: int) -> tuple[Literal["ok"], int] | Closed:
    piece = stream.next(length)
    return CLOSED if piece is None else ("ok", len(piece))


def subscribe(_execution: Execution, _stream: InputStream | OutputStream) -> Pollable:
    return Ready()


def check_write(_execution: Execution, stream: OutputStream) -> tuple[Literal["ok"], int] | Closed:
    return ("ok", PIECE) if stream.sink.is_open else CLOSED


def write(execution: Execution, stream: OutputStream, contents: bytes) -> tuple[Literal["ok"], None] | Closed:
    if not stream.sink.is_open:
        return CLOSED
    stream.sink.take(execution, contents)
    return DONE


def write_zeroes(execution: Execution, stream: OutputStream, length: int) -> tuple[Literal["ok"], None] | Closed:
    if length > PIECE:
        raise OrielError("guest_trap", f"The extension writes {length:,} zeroes, and {PIECE:,} were permitted.")
    return write(execution, stream, bytes(length))


def flush(_execution: Execution, stream: OutputStream) -> tuple[Literal["ok"], None] | Closed:
    return DONE if stream.sink.is_open else CLOSED


def splice(
    execution: Execution, stream: OutputStream, source: InputStream, length: int
) -> tuple[Literal["ok"], int] | Closed:
    if not stream.sink.is_open or (piece := source.next(length)) is None:
        return CLOSED
    stream.sink.take(execution, piece)
    return ("ok", len(piece))

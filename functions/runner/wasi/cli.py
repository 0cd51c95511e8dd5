"""`wasi:cli` and `wasi:random`: an empty environment, the standard streams, the end, and random numbers."""

import secrets
from typing import Literal

from oriel.errors import OrielError
from runner.execution import Execution, Printed
from runner.host import console
from runner.wasi.streams import InputStream, OutputStream

MAX_RANDOM_BYTES = 1 << 20


class Output:
    """A standard stream: its lines go into the log."""

    __slots__ = ("_stream",)
    is_open = True

    def __init__(self, stream: Printed) -> None:
        self._stream = stream

    def take(self, execution: Execution, data: bytes) -> None:
        console.write(execution, self._stream, data)


def environment(_execution: Execution) -> list[tuple[str, str]]:
    return []


def arguments(_execution: Execution) -> list[str]:
    return []


def nothing(_execution: Execution, *_arguments: object) -> None:
    """None of it: no working directory, no terminal."""


def stdin(_execution: Execution) -> InputStream:
    return InputStream(b"")


def stdout(_execution: Execution) -> OutputStream:
    return OutputStream(Output("stdout"))


def stderr(_execution: Execution) -> OutputStream:
    return OutputStream(Output("stderr"))


def exit_(_execution: Execution, status: tuple[Literal["ok", "err"], None]) -> None:
    how = "in success" if status[0] == "ok" else "as a failure"
    raise OrielError("guest_trap", f"The extension ended itself {how} (wasi:cli/exit) instead of returning.")


def random_bytes(_execution: Execution, length: int) -> bytes:
    if length > MAX_RANDOM_BYTES:
        detail = f"One call may ask for {MAX_RANDOM_BYTES:,} random bytes, and asked for {length:,}."
        raise OrielError("host_budget_exceeded", detail)
    return secrets.token_bytes(length)


def random_u64(_execution: Execution) -> int:
    return secrets.randbits(64)


def insecure_seed(_execution: Execution) -> tuple[int, int]:
    return secrets.randbits(64), secrets.randbits(64)

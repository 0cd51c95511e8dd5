"""`fields` of `wasi:http/types`: headers, in order, with repeats.

Rules kept here:

- Names are tokens in lower case, values hold no control characters (RFC 9110, section 5).
- What frames a message or belongs to one connection is the host's: a guest that sets it is told `forbidden`.
- Headers that came with a message, or that went into one, do not change any more.
"""

import re
from typing import Final, Literal, TypeAlias

from oriel.errors import OrielError
from runner.execution import Execution

FORBIDDEN: Final = frozenset(
    {
        "connection",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
MAX_LINES: Final = 256
LINE_BYTES: Final = 64  # what a line costs beside its text

Problem: TypeAlias = tuple[Literal["err"], tuple[Literal["invalid-syntax", "forbidden", "immutable"], None]]
Line: TypeAlias = tuple[str, bytes]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Fields:
    """Header lines. `lines` is replaced and never changed in place, so that several objects may share it."""

    __slots__ = ("fixed", "lines")

    def __init__(self, lines: tuple[Line, ...] = (), *, fixed: bool = False) -> None:
        self.lines = lines
        self.fixed = fixed

    def seen(self) -> "Fields":
        """The same lines as a guest may look at them."""
        return Fields(self.lines, fixed=True)


def new(_execution: Execution) -> Fields:
    return Fields()


def from_list(execution: Execution, lines: list[Line]) -> tuple[Literal["ok"], Fields] | Problem:
    for name, value in lines:
        if problem := _problem(name, [value]):
            return problem
    fields = Fields()
    _add(execution, fields, lines)
    return ("ok", fields)


def get(_execution: Execution, fields: Fields, name: str) -> list[bytes]:
    return [value for known, value in fields.lines if known == name.lower()]


def has(_execution: Execution, fields: Fields, name: str) -> bool:
    return any(known == name.lower() for known, _ in fields.lines)


def set_(execution: Execution, fields: Fields, name: str, values: list[bytes]) -> tuple[Literal["ok"], None] | Problem:
    if fields.fixed:
        return ("err", ("immutable", None))
    if problem := _problem(name, values):
        return problem
    fields.lines = tuple(line for line in fields.lines if line[0] != name.lower())
    _add(execution, fields, [(name, value) for value in values])
    return ("ok", None)


def delete(_execution: Execution, fields: Fields, name: str) -> tuple[Literal["ok"], None] | Problem:
    if fields.fixed:
        return ("err", ("immutable", None))
    if problem := _problem(name, []):
        return problem
    fields.lines = tuple(line for line in fields.lines if line[0] != name.lower())
    return ("ok", None)


def append(execution: Execution, fields: Fields, name: str, value: bytes) -> tuple[Literal["ok"], None] | Problem:
    if fields.fixed:
        return ("err", ("immutable", None))
    if problem := _problem(name, [value]):
        return problem
    _add(execution, fields, [(name, value)])
    return ("ok", None)


def entries(_execution: Execution, fields: Fields) -> list[Line]:
    return list(fields.lines)


def clone(_execution: Execution, fields: Fields) -> Fields:
    return Fields(fields.lines)  # shared until one of them is changed, and that is charged


def _add(execution: Execution, fields: Fields, lines: list[Line]) -> None:
    if len(fields.lines) + len(lines) > MAX_LINES:
        raise OrielError("host_budget_exceeded", f"A message may have {MAX_LINES} headers, and was given more.")
    execution.budgets.charge_held(sum(LINE_BYTES + len(name) + len(value) for name, value in lines))
    fields.lines += tuple((name.lower(), value) for name, value in lines)


def _problem(name: str, values: list[bytes]) -> Problem | None:
    if not _NAME.fullmatch(name) or not all(map(_VALUE.fullmatch, values)):
        return ("err", ("invalid-syntax", None))
    return ("err", ("forbidden", None)) if name.lower() in FORBIDDEN else None

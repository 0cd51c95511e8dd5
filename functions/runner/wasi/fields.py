"""`fields` of `wasi:http/types`: headers, in order, with repeats.

Rules kept here:

- Names are tokens in lower case, values hold no control characters (RFC 9110, section 5).
- What frames a message or belongs to one connection is the host's: a guest that sets it is told `forbidden`.
- Headers that came with a message, or that went into one, do not change any more.
"""

import re
from typing import Final, Literal, TypeAlias

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
ENTRY_BYTES: Final = 64  # what a line costs beside its text

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


def from_list(execution: Execution, entries: list[Line]) -> tuple[Literal["ok"], Fields] | Problem:
    for name, value in entries:
        if problem := _problem(name, [value]):
            return problem
    lines = tuple((name.lower(), value) for name, value in entries)
    _charge(execution, lines)
    return ("ok", Fields(lines))


def get(_execution: Execution, fields: Fields, name: str) -> list[bytes]:
    return [value for known, value in fields.lines if known == name.lower()]


def has(_execution: Execution, fields: Fields, name: str) -> bool:
    return any(known == name.lower() for known, _ in fields.lines)


def set_(execution: Execution, fields: Fields, name: str, values: list[bytes]) -> tuple[Literal["ok"], None] | Problem:
    if fields.fixed:
        return ("err", ("immutable", None))
    if problem := _problem(name, values):
        return problem
    added = tuple((name.lower(), value) for value in values)
    _charge(execution, added)
    fields.lines = tuple(line for line in fields.lines if line[0] != name.lower()) + added
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
    _charge(execution, ((name, value),))
    fields.lines = (*fields.lines, (name.lower(), value))
    return ("ok", None)


def entries(_execution: Execution, fields: Fields) -> list[Line]:
    return list(fields.lines)


def clone(_execution: Execution, fields: Fields) -> Fields:
    return Fields(fields.lines)


def _charge(execution: Execution, lines: tuple[Line, ...]) -> None:
    execution.budgets.charge_held(sum(ENTRY_BYTES + len(name) + len(value) for name, value in lines))


def _problem(name: str, values: list[bytes]) -> Problem | None:
    if not _NAME.fullmatch(name) or not all(map(_VALUE.fullmatch, values)):
        return ("err", ("invalid-syntax", None))
    return ("err", ("forbidden", None)) if name.lower() in FORBIDDEN else None

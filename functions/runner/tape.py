"""Recording and replaying: a tape lies between an execution and what differs from one run to the next.

    recording    a host call is carried out, and noted with its answer
    replaying    nothing is carried out: the answer is the one that was noted, if the call is the same

Rules kept here:

- What passes by a tape is what a guest can tell one run from another by: Oriel's host calls, and of the standard
  interfaces the clocks, random numbers, waiting, and requests to other hosts. The rest follows from these.
- Without a tape a host call costs one look at a field.
- A recording has a bound. Past it nothing more is noted, the execution goes on, and no fixture is made of it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from oriel.errors import OrielError
from oriel.fixture import REDACTED, Fixture, HostCall, HostError, pack, unpack
from runner.redaction import Redactor

MAX_NOTED_BYTES = 4_000_000
CALL_BYTES = 64  # what a call costs beside its values


class Noted(Struct, frozen=True):
    """One call as it was, with the values themselves."""

    name: str
    arguments: tuple[Any, ...]
    answer: Any = None
    error: HostError | None = None


class Recorder:
    """Notes the calls of one execution."""

    def __init__(self, max_bytes: int = MAX_NOTED_BYTES) -> None:
        self.calls: list[Noted] = []
        self._left = max_bytes

    @property
    def is_complete(self) -> bool:
        return self._left >= 0

    def call(self, name: str, arguments: Sequence[Any], carry_out: Callable[[], Any]) -> Any:
        try:
            answer = carry_out()
        except OrielError as error:
            self._note(Noted(name, tuple(arguments), error=HostError(code=error.code, detail=error.detail)))
            raise
        self._note(Noted(name, tuple(arguments), answer))
        return answer

    def _note(self, call: Noted) -> None:
        if self.is_complete:
            self._left -= CALL_BYTES + _size(call.arguments) + _size(call.answer)
            self.calls.append(call)


class Difference(Struct, frozen=True):
    """The first thing that was not as it was recorded. `at` counts host calls from 0; None for the outcome."""

    at: int | None
    what: str
    recorded: Any
    replayed: Any


class Diverged(Exception):
    """The guest asks for what it did not ask for when it was recorded: there is no answer to go on with."""


class Player:
    """Answers the calls of one execution from a fixture, in their order."""

    def __init__(self, fixture: Fixture) -> None:
        self._calls = fixture.calls
        self._next = 0
        self._redactor = Redactor([REDACTED])  # in the forms in which the recorded secret was found too
        self.difference: Difference | None = None

    def call(self, name: str, arguments: Sequence[Any], carry_out: Callable[[], Any]) -> Any:
        at, asked = self._next, HostCall(name=name, arguments=pack(self._redactor.clean(list(arguments))))
        if at >= len(self._calls):
            self._differ(at, "a host call that was not made", None, asked)
        recorded = self._calls[at]
        if (recorded.name, recorded.arguments) != (asked.name, asked.arguments):
            what = "the arguments of a host call" if recorded.name == name else "another host call"
            self._differ(at, what, recorded, asked)
        self._next += 1
        if recorded.error is not None:
            raise OrielError(recorded.error.code, recorded.error.detail)
        return unpack(recorded.answer)

    def finish(self) -> None:
        """The run is over: a call that was recorded and did not come is a difference."""
        if self.difference is None and self._next < len(self._calls):
            self.difference = Difference(self._next, "a host call that is missing", self._calls[self._next], None)

    def _differ(self, at: int, what: str, recorded: Any, replayed: Any) -> None:
        self.difference = Difference(at, what, recorded, replayed)
        raise Diverged(what)


def _size(value: Any) -> int:
    match value:
        case str() | bytes() | bytearray():
            return len(value)
        case tuple() | list():
            return 8 + sum(map(_size, value))
        case dict():
            return 8 + sum(len(name) + _size(item) for name, item in value.items())
    return 8

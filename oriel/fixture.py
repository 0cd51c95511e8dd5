"""A fixture: one execution kept whole, so that it can be run again without the world around it. Pure.

It holds the request, what the execution was allowed, every call of the host with its answer (the clock and random
numbers are such calls), and what came out.

Rules kept here:

- A value of a host call is JSON that gives back the very same value: bytes and tuples, which JSON has not, and numbers
  that it cannot write are marked. Nothing else a host function takes or gives is marked, for names of fields in WIT
  have no `$`.
- A secret's value is never in a fixture. Where one would stand, stands `REDACTED`, also in what the guest was given;
  so that a guest that only passes a secret on does the very same when it is run again.
"""

import base64
import math
from typing import Any, Final, Literal

import msgspec
from msgspec import field

from oriel import strict_json
from oriel.contract import REDACTED, ExecuteError, ExecutionContext, HttpRequest, Limits, LogLine, NotNegative, User
from oriel.errors import Finding, InvalidInput
from oriel.messages import Message, place_and_problem

MAX_FIXTURE_BYTES: Final = 16_000_000
__all__ = [
    "REDACTED",
    "Fixture",
    "HostCall",
    "HostError",
    "Outcome",
    "SecretName",
    "pack",
    "sealed_name",
    "unpack",
]
_BYTES, _TUPLE, _FLOAT = "$bytes", "$tuple", "$float"


class SecretName(Message, frozen=True):
    """A secret that the execution had, without its value."""

    name: str
    hosts: tuple[str, ...] = ()
    reference_only: bool = False


class HostError(Message, frozen=True):
    """A host call that ended the execution."""

    code: str
    detail: str


class HostCall(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One call of the host: `name` as `oriel:extension/storage.get`; `arguments` and `answer` as `pack` writes them."""

    name: str
    arguments: list[Any] = field(default_factory=list)
    answer: Any = None
    error: HostError | None = None


class Outcome(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What came out: the answer, or why there is none, and what was logged (`at_ms` is 0)."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body_b64: str = ""
    error: ExecuteError | None = None
    logs: tuple[LogLine, ...] = ()


class Fixture(Message, frozen=True, kw_only=True):
    """One execution. `recorded_at` is in Unix milliseconds."""

    recorded_at: NotNegative
    context: ExecutionContext
    http: HttpRequest
    limits: Limits
    outcome: Outcome
    format: Literal["oriel.fixture/1"] = "oriel.fixture/1"
    providers: tuple[str, ...] = ()
    egress: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    secrets: tuple[SecretName, ...] = ()
    user: User | None = None
    calls: tuple[HostCall, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> "Fixture":
        """Read a fixture's file.

        Raises:
            InvalidInput: `invalid_input`, with what is wrong in it.
        """
        try:
            return cls.convert(strict_json.loads(data, max_bytes=MAX_FIXTURE_BYTES))
        except strict_json.JsonError as error:
            finding = Finding("", f"is not valid JSON: {error}")
        except msgspec.ValidationError as error:
            finding = Finding(*place_and_problem(error))
        raise InvalidInput("invalid_input", [finding], subject="The fixture")

    def to_file(self) -> bytes:
        """Indented JSON, so that a change of it can be read."""
        return msgspec.json.format(self.to_json(), indent=1) + b"\n"


def sealed_name(execution_id: str) -> str:
    """The name that a fixture is sealed under: no secret can have it, for their names have no slash."""
    return f"fixture/{execution_id}"


def pack(value: Any) -> Any:
    """A host call's value as JSON.

    Raises:
        TypeError: it is a resource, which means something to its own execution alone.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else {_FLOAT: repr(value)}
        case bytes() | bytearray():
            return {_BYTES: base64.b64encode(value).decode()}
        case tuple():
            return {_TUPLE: [pack(item) for item in value]}
        case list():
            return [pack(item) for item in value]
        case dict():
            return {name: pack(item) for name, item in value.items()}
    raise TypeError(f"a {type(value).__name__} cannot be kept")


def unpack(value: Any) -> Any:
    """The value that `pack` was given."""
    match value:
        case list():
            return [unpack(item) for item in value]
        case {"$bytes": str(text)}:
            return base64.b64decode(text)
        case {"$tuple": list(items)}:
            return tuple(unpack(item) for item in items)
        case {"$float": str(text)}:
            return float(text)
        case dict():
            return {name: unpack(item) for name, item in value.items()}
    return value

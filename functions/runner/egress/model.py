"""What a fetch is made of: the request, the policy it is under, its bounds, its answer and its failure."""

import time
from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct, field

Header: TypeAlias = tuple[str, str]
Case: TypeAlias = Literal[
    "denied",
    "invalid-request",
    "dns",
    "connect",
    "tls",
    "timeout",
    "too-large",
    "too-many-redirects",
    "budget-exceeded",
    "protocol",
]


class EgressError(Exception):
    """A fetch that failed. `case` is one of `http.error` in `wit/http.wit`; `text` is for the guest's author.

    The text says what the guest may know: hosts it named, never an address a name resolved to.
    """

    def __init__(self, case: Case, text: str) -> None:
        self.case = case
        self.text = text
        super().__init__(f"{case}: {text}")


class Deadline(Struct, frozen=True):
    """A point in time (`time.monotonic()` seconds) that no part of an exchange passes."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, more than zero; `EgressError("timeout")` where none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise EgressError("timeout", "The time for this request is over.")
        return left


class SecretSource(Protocol):
    """The secrets a request may refer to."""

    def hosts(self, name: str) -> tuple[str, ...] | None:
        """The hosts the secret is bound to, written like grants; None where there is no such secret."""
        ...

    def value(self, name: str) -> str:
        """The plain value. `OrielError("unavailable")` where it cannot be had."""
        ...


class Policy(Struct, frozen=True):
    """On whose behalf a request goes out.

    Attributes:
        install_id: connections are never shared between installs.
        hosts: the grants (`oriel.hosts`); none means nowhere.
        user_agent: sent where the guest sets none.
        secrets: what references are filled from; None refuses every reference.
    """

    install_id: str
    hosts: tuple[str, ...]
    user_agent: str
    secrets: SecretSource | None = None


def _free(_size: int) -> None:
    """The charge of a request that nobody accounts for."""


class Bounds(Struct, frozen=True):
    """What one fetch may use, redirects included.

    Attributes:
        max_body_bytes: of the answer's body once decoded.
        charge: told of every byte sent and received; whatever it raises ends the exchange.
    """

    deadline: Deadline
    redirects: int = 0
    max_body_bytes: int = 10_000_000
    charge: Callable[[int], None] = field(default=_free)


class Outgoing(Struct, frozen=True):
    """A request as the guest makes it."""

    method: str
    url: str
    headers: tuple[Header, ...] = ()
    body: bytes = b""


class Answer(Struct, frozen=True):
    """What came back; `url` is where from. Header names are lower case."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    url: str

"""One execution as the host functions see it: whose it is, what it may do, what is left of it.

Rules kept here:

- An execution belongs to one request. Nothing of it outlives the answer: no log line, no opened secret.
- The deadline counts from the moment the request came in and covers everything. Host I/O takes its timeout
  from `remaining()`.
- A secret is opened when it is first needed, under the tenant, the install and the name it was sealed for.
  Every value that was opened is kept out of the execution's log.
"""

import base64
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from msgspec import Struct, field

from oriel.capabilities import ALWAYS
from oriel.contract import (
    REDACTED,
    DeclaredEndpoint,
    ExecuteRequest,
    ExecutionContext,
    LogLine,
    SealedSecret,
    User,
)
from oriel.errors import OrielError
from oriel.sealing import Sealed
from oriel.store.guests import GuestStore
from runner.egress.model import Answer, Bounds, Outgoing, Policy
from runner.limits import Budgets

if TYPE_CHECKING:
    from oriel.emitting import Emission
    from oriel.scheduling import Scheduling
    from oriel.store.event_records import Event

Printed: TypeAlias = Literal["stdout", "stderr"]

SHORTEST_REDACTED = 4  # replacing shorter values would blot out ordinary text and hide nothing


class Opener(Protocol):
    """The part of `oriel.sealing.Sealer` that the runner needs."""

    def open(self, tenant_id: str, install_id: str, name: str, sealed: Sealed) -> bytes: ...


class Fetcher(Protocol):
    """The part of `runner.egress.client.Egress` that the runner needs."""

    def fetch(self, request: Outgoing, policy: Policy, bounds: Bounds) -> Answer: ...


class Emitter(Protocol):
    """The part of `oriel.emitting.Emitter` that the runner needs."""

    def emit(self, emission: "Emission") -> "tuple[Event, bool]": ...


class Caller(Protocol):
    """The part of `runner.product.Product` that the runner needs."""

    def call(self, name: str, value: Any, context: ExecutionContext, user: User | None, bounds: Bounds) -> str: ...


class FixtureSealer(Protocol):
    """The part of `oriel.sealing.Sealer` that recording needs."""

    def seal(self, tenant_id: str, install_id: str, name: str, value: bytes) -> Sealed: ...


class Tape(Protocol):
    """What host calls go through, where there is one."""

    def call(self, name: str, arguments: Sequence[Any], carry_out: Callable[[], Any]) -> Any:
        """The answer to a call, by whichever way.

        Args:
            arguments: what the guest has given, without resources.
        """
        ...


class Series(Struct):
    """One series of a metric as it grows; see `oriel.contract.Metric`."""

    kind: Literal["counter", "gauge", "histogram"]
    value: float = 0.0
    count: int = 0
    buckets: list[int] = field(default_factory=list)


class Services(Struct, frozen=True):
    """What host functions reach outside their execution. One set serves all executions of a process.

    A service that is None is not there; the functions that need it answer their typed `unavailable`.
    """

    store: GuestStore | None = None
    opener: Opener | None = None
    egress: Fetcher | None = None
    product: Caller | None = None
    emitter: Emitter | None = None
    scheduling: "Callable[[], Scheduling] | None" = None
    sealer: FixtureSealer | None = None


class Secrets:
    """The sealed secrets of one execution, opened on demand and at most once each."""

    def __init__(self, context: ExecutionContext, sealed: Iterable[SealedSecret], opener: Opener | None) -> None:
        self._context = context
        self._sealed = {secret.name: secret for secret in sealed}
        self._opener = opener
        self._opened: dict[str, str] = {}

    def names(self) -> list[str]:
        return sorted(self._sealed)

    def hosts(self, name: str) -> tuple[str, ...] | None:
        """The hosts that a reference to the secret may be sent to; None where there is no such secret."""
        secret = self._sealed.get(name)
        return None if secret is None else secret.hosts

    def may_be_read(self, name: str) -> bool:
        """Whether the guest may see the value, and not only refer to it."""
        return name in self._sealed and not self._sealed[name].reference_only

    def value(self, name: str) -> str:
        """The plain value, for the guest or for a reference.

        Raises:
            OrielError: `unavailable` where it cannot be opened, is not text, or is not there.
        """
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def redact(self, text: str) -> str:
        """`text` with every value opened so far replaced, longer ones first so that none leaves a tail."""
        for value in sorted(self._opened.values(), key=len, reverse=True):
            if len(value) >= SHORTEST_REDACTED:
                text = text.replace(value, REDACTED)
        return text

    def _open(self, name: str) -> str:
        unavailable = OrielError("unavailable", f"The secret '{name}' cannot be opened now.")
        secret = self._sealed.get(name)
        if secret is None or self._opener is None:
            raise unavailable
        try:
            nonce, ciphertext = (
                base64.b64decode(part, validate=True) for part in (secret.nonce_b64, secret.ciphertext_b64)
            )
            sealed = Sealed(secret.key_id, nonce, ciphertext)
            return self._opener.open(self._context.tenant_id, self._context.install_id, name, sealed).decode()
        except (OrielError, ValueError):
            raise unavailable from None


class Execution(Struct):
    """The state of one run, handed to every host function.

    Attributes:
        providers: the capabilities granted, with those that are always there.
        egress: the hosts granted with `http.fetch`.
        operations: those of the host product granted with `host.call`.
        acting_user: the user as the host product is told; the guest sees `user`.
        started_at, deadline: `time.monotonic()` seconds.
        lines: what the guest has logged, in order.
        metrics: what it has measured, by name and labels; `metric_kinds` by name.
        printed: what it has printed to a standard stream and not ended with a newline yet.
        tape: what host calls pass by, where it is recorded or replayed.
    """

    context: ExecutionContext
    providers: frozenset[str]
    egress: tuple[str, ...]
    user: User | None
    secrets: Secrets
    budgets: Budgets
    services: Services
    started_at: float
    deadline: float
    operations: frozenset[str] = frozenset()
    acting_user: User | None = None
    endpoints: tuple[DeclaredEndpoint, ...] = ()
    lines: list[LogLine] = field(default_factory=list)
    metrics: dict[tuple[str, tuple[tuple[str, str], ...]], Series] = field(default_factory=dict)
    metric_kinds: dict[str, str] = field(default_factory=dict)
    printed: dict[Printed, bytes] = field(default_factory=dict)
    tape: Tape | None = None

    @classmethod
    def begin(cls, request: ExecuteRequest, services: Services, started_at: float | None = None) -> "Execution":
        """The execution of `request`, whose deadline counts from `started_at` (now, where it is left out)."""
        started = time.monotonic() if started_at is None else started_at
        return cls(
            context=request.context,
            providers=request.providers | ALWAYS,
            egress=request.egress,
            user=request.user,
            secrets=Secrets(request.context, request.secrets, services.opener),
            budgets=Budgets(request.limits),
            services=services,
            started_at=started,
            deadline=started + request.limits.timeout_ms / 1000,
            operations=frozenset(request.operations),
            acting_user=request.acting_user,
            endpoints=request.endpoints,
        )

    def elapsed_ms(self) -> float:
        return (time.monotonic() - self.started_at) * 1000

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def check_deadline(self) -> None:
        """`deadline_exceeded` where no time is left."""
        if self.remaining() <= 0.0:
            limit = round((self.deadline - self.started_at) * 1000)
            raise OrielError("deadline_exceeded", f"The execution may take {limit:,} ms, and took longer.")

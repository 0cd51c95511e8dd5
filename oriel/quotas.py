"""How much a tenant, or one install of it, may ask of the platform: requests a second, at once, and in a day.

Rules kept here:

- What is not said is not bounded. An operator's own value for a tenant or an install stands in place of the default,
  each value by itself.
- The defaults of the platform are far above what a person or a well-meant machine needs; they are there so that one
  runaway loop is not everybody's outage. No daily quota is set by itself.
- A day is a UTC day.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args

from msgspec import Meta, ValidationError
from msgspec.structs import replace

from oriel.errors import Finding, InvalidInput
from oriel.messages import Message, place_and_problem

DAILY = ("daily_invocations", "daily_cpu_ms", "daily_memory_mb_ms", "daily_egress_bytes")
BURST_SECONDS = 2.0
QuotaScope = Literal["tenant", "install"]
SCOPES: tuple[QuotaScope, ...] = get_args(QuotaScope)

MAX_PER_SECOND = 1_000_000
MAX_BURST = 10_000_000
MAX_CONCURRENT = 1_000_000
MAX_COUNT = 10**15

_Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]


class Quotas(Message, frozen=True, kw_only=True):
    """The bounds of one tenant or install; None is no bound.

    Attributes:
        requests_per_second: what the token bucket is filled with; 0 lets nothing pass once the burst is gone.
        burst: what the bucket holds; without it, `BURST_SECONDS` of the rate and at least 1.
        concurrent: executions at one time.
        daily_invocations: executions begun in a day; the others are what executions of a day have used together:
            milliseconds of CPU, megabytes of memory times milliseconds, bytes of egress both ways.
    """

    requests_per_second: Annotated[float, Meta(ge=0, le=MAX_PER_SECOND)] | None = None
    burst: Annotated[int, Meta(ge=1, le=MAX_BURST)] | None = None
    concurrent: Annotated[int, Meta(ge=0, le=MAX_CONCURRENT)] | None = None
    daily_invocations: _Count | None = None
    daily_cpu_ms: _Count | None = None
    daily_memory_mb_ms: _Count | None = None
    daily_egress_bytes: _Count | None = None

    @property
    def capacity(self) -> int | None:
        """The tokens that a full bucket holds; None where there is no rate."""
        if self.requests_per_second is None:
            return None
        return self.burst or max(1, int(self.requests_per_second * BURST_SECONDS))

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Values as they are kept.

        Raises:
            InvalidInput: `invalid_input`, with the first mistake.
        """
        try:
            return cls.convert(values)
        except ValidationError as error:
            raise InvalidInput("invalid_input", [Finding(*place_and_problem(error))], subject="The quotas") from None

    def over(self, default: "Quotas") -> "Quotas":
        """These values, and the default's where nothing is said here."""
        return replace(default, **self.said())

    def said(self) -> dict[str, Any]:
        """The values that bound something, as JSON."""
        return {name: value for name, value in self.to_plain().items() if value is not None}


PLATFORM_DEFAULTS: Mapping[QuotaScope, Quotas] = {
    "tenant": Quotas(requests_per_second=2_000.0, burst=4_000, concurrent=400),
    "install": Quotas(requests_per_second=1_000.0, burst=2_000, concurrent=200),
}

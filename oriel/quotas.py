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

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oriel.errors import Finding, InvalidInput

DAILY = ("daily_invocations", "daily_cpu_ms", "daily_memory_mb_ms", "daily_egress_bytes")
BURST_SECONDS = 2.0
QuotaScope = Literal["tenant", "install"]
SCOPES: tuple[QuotaScope, ...] = get_args(QuotaScope)

_Count = Annotated[int, Field(ge=0, le=10**15)]


class Quotas(BaseModel):
    """The bounds of one tenant or install; None is no bound.

    Attributes:
        requests_per_second: what the token bucket is filled with; 0 lets nothing pass once the burst is gone.
        burst: what the bucket holds; without it, `BURST_SECONDS` of the rate and at least 1.
        concurrent: executions at one time.
        daily_invocations: executions begun in a day; the others are what executions of a day have used together:
            milliseconds of CPU, megabytes of memory times milliseconds, bytes of egress both ways.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_second: float | None = Field(default=None, ge=0, le=1_000_000, allow_inf_nan=False)
    burst: int | None = Field(default=None, ge=1, le=10_000_000)
    concurrent: int | None = Field(default=None, ge=0, le=1_000_000)
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
        """Values as an operator gives them.

        Raises:
            InvalidInput: `invalid_input`, with every mistake.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            findings = [Finding(".".join(map(str, entry["loc"])), entry["msg"]) for entry in error.errors()]
            raise InvalidInput("invalid_input", findings, subject="The quotas") from None

    def over(self, default: "Quotas") -> "Quotas":
        """These values, and the default's where nothing is said here."""
        return Quotas.model_validate(default.said() | self.said())

    def said(self) -> dict[str, Any]:
        """The values that bound something, as JSON."""
        return self.model_dump(exclude_none=True)


PLATFORM_DEFAULTS: Mapping[QuotaScope, Quotas] = {
    "tenant": Quotas(requests_per_second=2_000, burst=4_000, concurrent=400),
    "install": Quotas(requests_per_second=1_000, burst=2_000, concurrent=200),
}

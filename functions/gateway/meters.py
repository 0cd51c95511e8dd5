"""What this gateway holds of one meter: tokens and places leased from the store, and what was used since.

Rules kept here:

- A token and a place are taken together or not at all, and nothing is spent beyond `LEASE_SECONDS` after it was leased.
- A lease is as large as what is asked of this gateway: the next one is twice as large where one was used up in its
  time, and half where most of it was left. So many gateways with little to do hold little.
- A refusal is remembered for a moment, so that who is refused does not cost the store a question each time.
- No I/O, no lock, no clock: `gateway.admission` brings them.
"""

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from gateway.messages import Headers
from oriel.errors import OrielError
from oriel.quotas import DAILY, Quotas, QuotaScope
from oriel.store.leases import exhausted
from oriel.store.policy_records import Lease, LeaseAsk, Measures

LEASE_SECONDS = 5.0
LEASE_SHARE = 4
FIRST_TOKENS, MAX_TOKENS = 8, 256
MAX_PLACES_AHEAD = 8
MIN_REFUSED_SECONDS, MAX_REFUSED_SECONDS = 0.1, 1.0
DAY_SECONDS = 86_400


def lease_size(quotas: Quotas) -> int:
    """The most tokens of one lease: a part of the burst, so that several gateways can have one."""
    capacity = MAX_TOKENS if quotas.capacity is None else quotas.capacity
    return max(1, min(MAX_TOKENS, capacity // LEASE_SHARE))


class Held(Struct):
    """Of the meter of a tenant, or of one of its installs. Times are monotonic seconds."""

    scope: QuotaScope
    bucket: str
    quotas: Quotas
    lease: Lease | None = None
    taken_at: float = -math.inf
    tokens: int = 0
    size: int = FIRST_TOKENS
    running: int = 0
    unreported: Measures = field(default_factory=Measures)
    used: Measures = field(default_factory=Measures)
    refusal: "Refusal | None" = None

    def adopt(self, quotas: Quotas) -> None:
        """Bounds that have changed hold at once: what was leased under others is not spent."""
        if quotas != self.quotas:
            self.quotas, self.taken_at, self.refusal = quotas, -math.inf, None

    def expired(self, now: float) -> bool:
        return now - self.taken_at >= LEASE_SECONDS

    def idle(self) -> bool:
        """Whether nothing here is worth telling the store or keeping."""
        return not self.running and not self.tokens and self.unreported == Measures() and not self._places

    def can_spend(self, now: float) -> bool:
        """Whether one more execution may begin without asking the store.

        Raises:
            OrielError: `rate_limited`, `quota_exceeded`: the store has said so a moment ago.
        """
        if not self.expired(now) and self.tokens and self._has_place() and self._exhausted() is None:
            return True
        if self.refusal is not None and now < self.refusal.asked_again_at:
            raise self.refusal.error(now, self)
        return False

    def spend(self) -> None:
        self.tokens -= 1
        self.running += 1

    def end(self, used: Measures) -> None:
        """One execution has ended."""
        self.running -= 1
        self.unreported, self.used = self.unreported.plus(used), self.used.plus(used)
        if self.refusal is not None and self.refusal.limit == "concurrent":
            self.refusal = None

    def ask(self, holder: str, places_ms: int, *, settle: bool = False) -> LeaseAsk:
        """What to ask the store for; where `settle`, only to give back what is left."""
        self.size = self._next_size()
        ahead = 0 if settle else max(1, min(MAX_PLACES_AHEAD, (self.quotas.concurrent or 0) // LEASE_SHARE))
        asked = LeaseAsk(
            bucket=self.bucket,
            quotas=self.quotas,
            holder=holder,
            tokens=0 if settle else self.size,
            returned=self.tokens,
            returned_day=self.lease.day if self.lease else "",
            places=0 if self.quotas.concurrent is None else self.running + ahead,
            places_ms=places_ms,
            spent=self.unreported,
        )
        self.tokens, self.unreported = 0, Measures()
        return asked

    def _next_size(self) -> int:
        """The tokens to ask for, by what became of those before."""
        size = self.size
        if self.lease is not None and self.lease.tokens:
            if not self.tokens:
                size *= 2
            elif self.tokens > self.lease.tokens // 2:
                size //= 2
        return max(1, min(size, lease_size(self.quotas)))

    def take(self, lease: Lease, now: float) -> None:
        """What the store gave."""
        self.lease, self.taken_at, self.tokens, self.used = lease, now, lease.tokens, Measures()
        self.refusal = self._refused(lease, now)

    def restore(self, ask: LeaseAsk) -> None:
        """The store did not answer: what was used is told again. What was given back may be gone."""
        self.unreported = self.unreported.plus(ask.spent)

    def policies(self) -> list[str]:
        """The items of `ratelimit-policy`: what is allowed in which window of seconds."""
        found = []
        if self.quotas.capacity is not None and self.quotas.requests_per_second:
            window = math.ceil(self.quotas.capacity / self.quotas.requests_per_second)
            found.append(f'"{self.scope}";q={self.quotas.capacity};w={window}')
        if self.quotas.daily_invocations is not None:
            found.append(f'"{self.scope}-day";q={self.quotas.daily_invocations};w={DAY_SECONDS}')
        return found

    def left(self) -> list[str]:
        """The items of `ratelimit`: what is left of the policies, and the seconds until they are whole again."""
        lease, found = self.lease, []
        if lease is None:
            return []
        if self.quotas.capacity is not None and self.quotas.requests_per_second:
            tokens = (lease.left or 0) + self.tokens
            full = math.ceil((self.quotas.capacity - tokens) / self.quotas.requests_per_second)
            found.append(f'"{self.scope}";r={tokens};t={max(0, full)}')
        if self.quotas.daily_invocations is not None:
            found.append(f'"{self.scope}-day";r={self.left_of_day()["daily_invocations"]};t={_seconds(lease)}')
        return found

    @property
    def _places(self) -> int:
        return self.lease.places if self.lease else 0

    def _has_place(self) -> bool:
        return self.quotas.concurrent is None or self.running < self._places

    def _exhausted(self) -> str | None:
        """The measured quota that this gateway knows to be used up; invocations are bounded by their tokens."""
        if self.lease is None:
            return None
        measured = replace(self.quotas, daily_invocations=None)
        return exhausted(measured, 0, self.lease.used.plus(self.used))

    def _refused(self, lease: Lease, now: float) -> "Refusal | None":
        """Why nothing may begin with what was given; None where something may."""
        over = exhausted(self.quotas, lease.invocations, lease.used) if not lease.tokens else self._exhausted()
        if over is not None:
            ends = lease.day_ends_ms / 1000
            return Refusal("quota_exceeded", over, now + ends, now + min(ends, MAX_REFUSED_SECONDS))
        if not lease.tokens:
            wait = lease.retry_ms / 1000
            again = now + min(MAX_REFUSED_SECONDS, max(MIN_REFUSED_SECONDS, wait))
            return Refusal("rate_limited", "requests_per_second", now + wait, again)
        if not self._has_place():
            return Refusal("rate_limited", "concurrent", now + 1, now + MIN_REFUSED_SECONDS)
        return None

    def left_of_day(self) -> dict[str, int]:
        """Of the daily quotas that are set."""
        if self.lease is None:
            return {}
        used = self.lease.used.plus(self.used)
        invocations = self.lease.invocations - self.tokens
        counts = (invocations, used.cpu_ms, used.memory_mb_ms, used.egress_bytes)
        bounds = {name: getattr(self.quotas, name) for name in DAILY}
        pairs = zip(bounds.items(), counts, strict=True)
        return {name: max(0, int(bound - count)) for (name, bound), count in pairs if bound is not None}


class Refusal(Struct, frozen=True):
    """Why a meter lets nothing begin. `until` is when something may, `asked_again_at` when the store is asked again."""

    code: str
    limit: str
    until: float
    asked_again_at: float

    def error(self, now: float, meter: Held) -> OrielError:
        """For one caller, with what is left of everything."""
        who = "Your organisation" if meter.scope == "tenant" else f"{meter.bucket} in your organisation"
        allowed = getattr(meter.quotas, self.limit)
        extra = {"scope": meter.scope, "limit": self.limit, "allowed": allowed, "left": self._left(meter)}
        return OrielError(
            self.code,
            f"{who} {WHAT[self.limit].format(allowed)}.",
            retry_after=max(1, math.ceil(self.until - now)),
            extra=extra,
            headers=dict(ratelimit_headers([meter])),
        )

    def _left(self, meter: Held) -> dict[str, int]:
        rate = (
            {"requests": (meter.lease.left or 0) + meter.tokens} if meter.lease and meter.lease.left is not None else {}
        )
        return rate | meter.left_of_day()


WHAT: Mapping[str, str] = {
    "requests_per_second": "makes more than {:g} requests a second",
    "concurrent": "has {} executions at once, which is all that it may",
    "daily_invocations": "has used up today's {:,} invocations",
    "daily_cpu_ms": "has used up today's {:,} ms of CPU time",
    "daily_memory_mb_ms": "has used up today's {:,} MB·ms of memory",
    "daily_egress_bytes": "has used up today's {:,} bytes of egress",
}


def ratelimit_headers(meters: Sequence[Held]) -> Headers:
    """The RateLimit fields of draft-ietf-httpapi-ratelimit-headers: what is allowed, and what is left of it."""
    policies = ", ".join(item for meter in meters for item in meter.policies())
    left = ", ".join(item for meter in meters for item in meter.left())
    return tuple((name, value) for name, value in (("ratelimit-policy", policies), ("ratelimit", left)) if value)


def _seconds(lease: Lease) -> int:
    return math.ceil(lease.day_ends_ms / 1000)

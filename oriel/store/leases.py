"""What a meter gives to a gateway that asks, for every backend alike: a function of the meter, the ask and the time.

Rules kept here:

- A token is taken out of the meter before it is spent, and counted as an invocation of its day. So over any time no
  more pass than the rate and the quota allow, however many gateways there are; what a gateway holds and does not spend
  it gives back the next time, or loses when it dies.
- Places for executions are counted by holder. A holder's places lapse by themselves after the time it asked for.
- What executions have used is known after they have run. A quota on it ends the giving when what was reported reaches
  it; what gateways have begun under their leases still ends.
- Clocks may differ: time never runs backwards in a meter.
"""

import math
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from oriel.quotas import Quotas
from oriel.store.policy_records import Lease, LeaseAsk, Measures, Meter

MAX_WAIT_MS = 3_600_000
DAILY_SHARE = 4  # of what is left of a day, one lease is a part: the last of it does not lie idle at one gateway


def fresh(tenant_id: str, ask: LeaseAsk, now: int) -> Meter:
    """A meter that nobody has taken from: a full bucket."""
    return Meter(
        tenant_id=tenant_id,
        bucket=ask.bucket,
        tokens=float(ask.quotas.capacity or 0),
        refilled_at=now,
        day=day_of(now),
        revision=0,
    )


def taken(meter: Meter, ask: LeaseAsk, now: int) -> tuple[Meter, Lease]:
    """The meter afterwards, its revision raised by one, and what it gave. Times in Unix milliseconds."""
    now = max(now, meter.refilled_at)
    meter = _reported(_of_today(meter, now), ask)
    meter = _refilled(meter, ask, now)
    meter, places = _placed(meter, ask, now)
    tokens = _tokens(meter, ask)
    left = None if ask.quotas.capacity is None else meter.tokens - tokens
    meter = replace(
        meter,
        tokens=meter.tokens if left is None else left,
        invocations=meter.invocations + tokens,
        revision=meter.revision + 1,
    )
    lease = Lease(
        bucket=ask.bucket,
        tokens=tokens,
        places=places,
        left=None if left is None else int(left),
        retry_ms=_retry_ms(ask.quotas, left) if left is not None and not tokens else 0,
        day=meter.day,
        day_ends_ms=day_ends(now) - now,
        invocations=meter.invocations,
        used=meter.used,
    )
    return meter, lease


def exhausted(quotas: Quotas, invocations: int, used: Measures) -> str | None:
    """The daily quota that is used up; None where none is."""
    counts = {
        "daily_invocations": invocations,
        "daily_cpu_ms": used.cpu_ms,
        "daily_memory_mb_ms": used.memory_mb_ms,
        "daily_egress_bytes": used.egress_bytes,
    }
    return next((name for name, count in counts.items() if count >= _bound(quotas, name)), None)


def day_of(now: int) -> str:
    """The UTC day, `2026-11-24`."""
    return datetime.fromtimestamp(now / 1000, UTC).date().isoformat()


def day_ends(now: int) -> int:
    """When the UTC day ends."""
    midnight = datetime.fromtimestamp(now / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight + timedelta(days=1)).timestamp()) * 1000


def _of_today(meter: Meter, now: int) -> Meter:
    today = day_of(now)
    if meter.day == today:
        return meter
    return replace(meter, day=today, invocations=0, cpu_ms=0.0, memory_mb_ms=0.0, egress_bytes=0)


def _reported(meter: Meter, ask: LeaseAsk) -> Meter:
    """With what the gateway has used, and without what it gives back."""
    used = meter.used.plus(ask.spent)
    back = ask.returned if ask.returned_day == meter.day else 0
    return replace(
        meter,
        tokens=meter.tokens + ask.returned,
        invocations=max(0, meter.invocations - back),
        cpu_ms=round(used.cpu_ms, 3),
        memory_mb_ms=round(used.memory_mb_ms, 3),
        egress_bytes=used.egress_bytes,
    )


def _refilled(meter: Meter, ask: LeaseAsk, now: int) -> Meter:
    capacity, rate = ask.quotas.capacity, ask.quotas.requests_per_second
    if capacity is None or rate is None:
        return replace(meter, tokens=0.0, refilled_at=now)
    gained = rate * (now - meter.refilled_at) / 1000
    return replace(meter, tokens=round(min(float(capacity), meter.tokens + gained), 6), refilled_at=now)


def _placed(meter: Meter, ask: LeaseAsk, now: int) -> tuple[Meter, int]:
    others = {
        holder: held for holder, held in meter.holders.items() if holder != ask.holder and held[1] > now and held[0] > 0
    }
    free = ask.places
    if ask.quotas.concurrent is not None:
        free = max(0, min(ask.places, ask.quotas.concurrent - sum(places for places, _ in others.values())))
    own = {ask.holder: (free, now + ask.places_ms)} if free else {}
    return replace(meter, holders={**others, **own}), free


def _tokens(meter: Meter, ask: LeaseAsk) -> int:
    if exhausted(ask.quotas, meter.invocations, meter.used) is not None:
        return 0
    wanted = ask.tokens if ask.quotas.capacity is None else min(ask.tokens, int(meter.tokens))
    if ask.quotas.daily_invocations is not None:
        left = ask.quotas.daily_invocations - meter.invocations
        wanted = min(wanted, max(1, left // DAILY_SHARE))
    return max(0, wanted)


def _retry_ms(quotas: Quotas, left: float) -> int:
    """Until the next whole token."""
    rate = quotas.requests_per_second or 0.0
    if left >= 1:
        return 0
    return min(MAX_WAIT_MS, math.ceil((1 - left) / rate * 1000)) if rate else MAX_WAIT_MS


def _bound(quotas: Quotas, name: str) -> float:
    bound: int | None = getattr(quotas, name)
    return float("inf") if bound is None else bound

"""Sums over time for charts, from the minutes that the store adds up.

Rules kept here: a percentile is read off counts by duration, evenly within a bound, so that it is exact to the bound;
a step without executions is a point of zeros, so that a chart has no holes.
"""

from collections.abc import Iterable, Sequence
from math import isinf
from typing import Any

from msgspec import Struct, field

from oriel.errors import OrielError
from oriel.store.records import UsageMinute
from oriel.store.usage import DURATION_BOUNDS_MS, MINUTE_MS

MAX_MINUTES = 2 * 24 * 60
MAX_POINTS = 1_500


class _Point(Struct):
    invocations: int = 0
    failures: int = 0
    cold: int = 0
    cpu_ms: float = 0.0
    egress_bytes: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * len(DURATION_BOUNDS_MS))

    def add(self, row: UsageMinute) -> None:
        self.invocations += row.invocations
        self.failures += row.failures
        self.cold += row.cold
        self.cpu_ms += row.cpu_ms
        self.egress_bytes += row.egress_bytes
        self.counts[min(row.bucket, len(self.counts) - 1)] += row.invocations


def bounds(since: int, until: int, step: int) -> tuple[int, int]:
    """The first step's start and the end of the last one, in Unix milliseconds.

    Raises:
        OrielError: `invalid_input`, where the range or its steps are more than a chart has.
    """
    if step % MINUTE_MS or step <= 0:
        raise OrielError("invalid_input", "step: a whole number of minutes, in milliseconds.")
    start, end = since // step * step, -(-until // step) * step
    if not 0 < end - start <= MAX_MINUTES * MINUTE_MS or (end - start) // step > MAX_POINTS:
        raise OrielError("invalid_input", f"since, until: up to two days, and {MAX_POINTS:,} steps.")
    return start, end


def points(rows: Iterable[UsageMinute], start: int, end: int, step: int) -> list[dict[str, Any]]:
    """One point for each step from `start` until `end`."""
    found = {at: _Point() for at in range(start, end, step)}
    for row in rows:
        if start <= row.minute < end:
            found[start + (row.minute - start) // step * step].add(row)
    return [_shown(at, point, step) for at, point in found.items()]


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The duration that `share` of the executions did not pass; None where there are none."""
    rank = share * sum(counts)
    if not rank:
        return None
    below, passed = 0.0, 0
    for bound, count in zip(DURATION_BOUNDS_MS, counts, strict=True):
        if count and passed + count >= rank:
            return below if isinf(bound) else round(below + (bound - below) * (rank - passed) / count, 3)
        below, passed = bound, passed + count
    return below


def _shown(at: int, point: _Point, step: int) -> dict[str, Any]:
    return {
        "at": at,
        "invocations": point.invocations,
        "per_second": round(point.invocations / (step / 1000), 4),
        "failures": point.failures,
        "cold": point.cold,
        "p50_ms": percentile(point.counts, 0.5),
        "p95_ms": percentile(point.counts, 0.95),
        "cpu_ms": round(point.cpu_ms, 3),
        "egress_bytes": point.egress_bytes,
    }

"""What executions add to the usage of their day and of their minute, for every backend alike.

Writers that add to the same rows do so in the order of their keys, so that none waits for the other in a circle.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime
from math import inf

from msgspec.structs import replace

from oriel.store.records import Execution, Usage, UsageMinute

BYTES_PER_MB = 1_000_000
MINUTE_MS = 60_000
DURATION_BOUNDS_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 3e4, inf)
COUNTED = ("egress_bytes", "kv_reads", "kv_writes", "log_bytes")
"""Sums that are whole numbers of the receipt's own."""
SUMS = ("invocations", "failures", "duration_ms", "cpu_ms", "memory_mb_ms", *COUNTED)
MINUTE_SUMS = ("invocations", "failures", "cold", "duration_ms", "cpu_ms", "egress_bytes")


def summed(executions: Iterable[Execution]) -> list[Usage]:
    """What `executions` used, one record for each tenant, extension, version and UTC day."""
    sums: dict[tuple[str, str, str, str], Usage] = {}
    for entry in executions:
        window = day_of(entry.started_at)
        key = (entry.tenant_id, window, entry.extension_id, entry.version)
        usage = sums.get(key) or Usage(
            tenant_id=entry.tenant_id, extension_id=entry.extension_id, version=entry.version, window=window
        )
        sums[key] = _added(usage, entry)
    return [sums[key] for key in sorted(sums)]


def by_minute(executions: Iterable[Execution]) -> list[UsageMinute]:
    """The same by minute and duration. A row is kept as long as the log entries it was made of."""
    sums: dict[tuple[str, int, str, int], UsageMinute] = {}
    for entry in executions:
        duration = float(entry.receipt.get("duration_ms", 0.0))
        minute, bucket = entry.started_at // MINUTE_MS * MINUTE_MS, bisect_left(DURATION_BOUNDS_MS, duration)
        key = (entry.tenant_id, minute, entry.extension_id, bucket)
        row = sums.get(key) or UsageMinute(
            tenant_id=entry.tenant_id,
            minute=minute,
            extension_id=entry.extension_id,
            bucket=bucket,
            expires_at=entry.expires_at,
        )
        sums[key] = replace(
            row,
            invocations=row.invocations + 1,
            failures=row.failures + (entry.error_code is not None),
            cold=row.cold + bool(entry.receipt.get("cold", False)),
            duration_ms=row.duration_ms + duration,
            cpu_ms=row.cpu_ms + float(entry.receipt.get("cpu_ms", 0.0)),
            egress_bytes=row.egress_bytes + int(entry.receipt.get("egress_bytes", 0)),
        )
    return [sums[key] for key in sorted(sums)]


def day_of(at_ms: int) -> str:
    """The UTC day of a time in Unix milliseconds: `2026-11-24`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def _added(usage: Usage, entry: Execution) -> Usage:
    duration = float(entry.receipt.get("duration_ms", 0.0))
    peak = float(entry.receipt.get("peak_memory_bytes", 0))
    return replace(
        usage,
        invocations=usage.invocations + 1,
        failures=usage.failures + (entry.error_code is not None),
        duration_ms=usage.duration_ms + duration,
        cpu_ms=usage.cpu_ms + float(entry.receipt.get("cpu_ms", 0.0)),
        memory_mb_ms=usage.memory_mb_ms + peak / BYTES_PER_MB * duration,
        **{name: getattr(usage, name) + int(entry.receipt.get(name, 0)) for name in COUNTED},
    )

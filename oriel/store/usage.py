"""What executions add to the usage of their day, for every backend alike."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from oriel.store.records import Execution, Usage

BYTES_PER_MB = 1_000_000
SUMS = ("invocations", "failures", "duration_ms", "cpu_ms", "memory_mb_ms", "egress_bytes")


def summed(executions: Iterable[Execution]) -> list[Usage]:
    """What `executions` used, one record for each tenant, extension, version and UTC day, in the order of their keys.

    Writers that add to the same rows do so in the same order, so that none waits for the other in a circle.
    """
    sums: dict[tuple[str, str, str, str], Usage] = {}
    for entry in executions:
        window = datetime.fromtimestamp(entry.started_at / 1000, UTC).date().isoformat()
        key = (entry.tenant_id, window, entry.extension_id, entry.version)
        usage = sums.get(key) or Usage(
            tenant_id=entry.tenant_id, extension_id=entry.extension_id, version=entry.version, window=window
        )
        sums[key] = _added(usage, entry)
    return [sums[key] for key in sorted(sums)]


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
        egress_bytes=usage.egress_bytes + int(entry.receipt.get("egress_bytes", 0)),
    )

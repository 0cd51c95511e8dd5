"""What one execution may use, and what it has used.

Rules kept here:

- Every budget is decided by the caller (`oriel.contract.Limits`) and enforced here; none is optional.
- A budget is charged before the work is done where its size is known, after it where only the answer tells.
- Standard components call the host in small steps, and what they hand over is kept here until it goes out: both have
  budgets of their own, made of the others.
- Passing one ends the execution with `host_budget_exceeded`; only log lines and samples are dropped and counted.
"""

from msgspec import Struct

from oriel.contract import Limits
from oriel.errors import OrielError

STANDARD_CALLS_PER_HOST_CALL = 100


class Budgets(Struct):
    """The counters of one execution, in calls, operations, lines and bytes. Not shared between executions."""

    limits: Limits
    host_calls: int = 0
    standard_calls: int = 0
    held_bytes: int = 0
    denied_calls: int = 0
    egress_bytes: int = 0
    kv_reads: int = 0
    kv_writes: int = 0
    kv_bytes: int = 0
    log_lines: int = 0
    log_bytes: int = 0
    log_dropped: int = 0
    metric_samples: int = 0
    metrics_dropped: int = 0

    def charge_call(self) -> None:
        """One host call; `host_budget_exceeded` past the limit."""
        self.host_calls += 1
        _hold("host calls", self.host_calls, self.limits.max_host_calls)

    def charge_standard_call(self) -> None:
        """One call of a standard interface: to a stream, a clock, a header."""
        self.standard_calls += 1
        limit = STANDARD_CALLS_PER_HOST_CALL * self.limits.max_host_calls
        _hold("calls of standard interfaces", self.standard_calls, limit)

    def charge_held(self, size: int) -> None:
        """Bytes of messages in the making: all of them together may fill one answer and all egress traffic."""
        self.held_bytes += size
        limit = self.limits.max_response_bytes + self.limits.max_egress_bytes
        _hold("bytes of messages", self.held_bytes, limit)

    def charge_egress(self, size: int) -> None:
        """Bytes sent to or received from other hosts."""
        self.egress_bytes += size
        _hold("bytes of egress traffic", self.egress_bytes, self.limits.max_egress_bytes)

    def charge_kv(self, *, reads: int = 0, writes: int = 0, size: int = 0) -> None:
        """Key-value operations, one a key, and the bytes that they carry either way."""
        self.kv_reads += reads
        self.kv_writes += writes
        self.kv_bytes += size
        _hold("key-value operations", self.kv_reads + self.kv_writes, self.limits.max_kv_operations)
        _hold("bytes of key-value traffic", self.kv_bytes, self.limits.max_kv_bytes)

    def log_is_full(self) -> bool:
        """No further line will be taken, however short."""
        return self.log_lines >= self.limits.max_log_lines or self.log_bytes >= self.limits.max_log_bytes

    def charge_log(self, size: int) -> bool:
        """Whether a line of `size` bytes is still within the allowance; one that is not is counted as dropped."""
        if self.log_is_full() or self.log_bytes + size > self.limits.max_log_bytes:
            self.log_dropped += 1
            return False
        self.log_lines += 1
        self.log_bytes += size
        return True

    def charge_metric(self) -> bool:
        """Whether one more sample is still within the allowance; one that is not is counted as dropped."""
        if self.metric_samples >= self.limits.max_metric_samples:
            self.metrics_dropped += 1
            return False
        self.metric_samples += 1
        return True


def _hold(what: str, used: int, limit: int) -> None:
    if used > limit:
        raise OrielError("host_budget_exceeded", f"The execution may use {limit:,} {what}, and wanted more.")

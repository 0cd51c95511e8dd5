"""What is kept and shown of an execution: its log entry, and the headers that tell of it.

Rules kept here:

- Every answer that an execution stands behind says which one, and how long it took. What it used is told to those who
  may see the log (`observe`) and to nobody else.
- An entry is kept for a set time, which is decided when it is written.
"""

from dataclasses import dataclass
from typing import Any, Final

from gateway.headers import EXECUTION_ID, RECEIPT, SERVER_TIMING
from gateway.messages import Headers
from oriel.contract import ExecuteRequest, ExecuteResponse, Receipt
from oriel.identity import Principal
from oriel.store.records import Execution

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How long executions are remembered. Times in milliseconds."""

    retention_ms: int = 30 * DAY_MS

    def entry(
        self, execute: ExecuteRequest, answer: ExecuteResponse, status: int, code: str | None, started_at: int
    ) -> Execution:
        """The log entry of an execution that was answered with `status`, and with the error `code` where it failed."""
        context = execute.context
        return Execution(
            tenant_id=context.tenant_id,
            execution_id=context.execution_id,
            request_id=context.request_id,
            extension_id=context.extension_id,
            install_id=context.install_id,
            version=context.version,
            version_id=context.version_id,
            content_hash=context.content_hash,
            trigger=context.trigger,
            method=execute.http.method,
            path=execute.http.path,
            status=status,
            error_code=code,
            started_at=started_at,
            receipt=_with_metrics(answer),
            logs=tuple(line.to_plain() for line in answer.logs),
            expires_at=started_at + self.retention_ms,
        )


def receipt_headers(principal: Principal | None, execution_id: str, receipt: Receipt, elapsed_ms: float) -> Headers:
    """What the client is told of an execution.

    Args:
        elapsed_ms: in the gateway, until now.
    """
    timing = f"queue;dur={receipt.queue_ms:.2f}, extension;dur={receipt.duration_ms:.2f}, total;dur={elapsed_ms:.2f}"
    headers: Headers = ((EXECUTION_ID, execution_id), (SERVER_TIMING, timing))
    shown = principal is not None and "observe" in principal.permissions
    return (*headers, (RECEIPT, receipt_text(receipt))) if shown else headers


def receipt_text(receipt: Receipt) -> str:
    """A receipt as a dictionary of structured fields (RFC 9651): `duration-ms=1.25, cold=?0`, without what is None."""
    said = {name: value for name, value in receipt.to_plain().items() if value is not None and name != "reason"}
    return ", ".join(f"{name.replace('_', '-')}={_item(value)}" for name, value in said.items())


def _item(value: object) -> str:
    return f"?{value:d}" if isinstance(value, bool) else f"{value:.3f}" if isinstance(value, float) else str(value)


def _with_metrics(answer: ExecuteResponse) -> dict[str, Any]:
    """The receipt as it is journalled, with what the guest has counted where it has counted anything."""
    receipt = answer.receipt.to_plain()
    metrics = [metric.to_plain() for metric in answer.metrics]
    return {**receipt, "metrics": metrics} if metrics else receipt

"""What is kept and shown of an execution: its log entry, and the headers that tell of it.

Rules kept here:

- Every answer that an execution stands behind says which one, and how long it took. What it used is told to those who
  may see the log (`observe`) and to nobody else.
- An entry is kept for a set time, which is decided when it is written.
- An execution is kept whole where its caller asks (`x-ext-record`) and may (`record`), and for a share of all
  executions where they fail. The fixture comes sealed, and the gateway has no key for it.
"""

import base64
import random
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from gateway.headers import EXECUTION_ID, RECEIPT, RECORD, RECORDED, SERVER_TIMING
from gateway.messages import GatewayRequest, Headers
from gateway.traces import Traces
from oriel.clock import now_ms
from oriel.contract import ExecuteRequest, ExecuteResponse, Receipt, Recording
from oriel.identity import Principal
from oriel.store.records import Execution, StoredFixture
from oriel.tracing import HEADER as TRACEPARENT

DAY_MS: Final = 86_400_000


class Watch(Struct, frozen=True, kw_only=True):
    """How long executions are remembered. Times in milliseconds.

    Attributes:
        traces: where traces go; None where none are made.
        record_failures: the share of executions, from 0 to 1, that are recorded and kept whole where they fail.
    """

    retention_ms: int = 30 * DAY_MS
    fixture_retention_ms: int = 7 * DAY_MS
    record_failures: float = 0.0
    traces: Traces | None = None

    def watched(self, request: GatewayRequest, principal: Principal | None, execute: ExecuteRequest) -> ExecuteRequest:
        """The request with what is to be kept of it, and the trace it is in.

        Raises:
            OrielError: `forbidden`, where the caller asks for it and may not.
        """
        trace = self.traces.begin(request.header(TRACEPARENT)) if self.traces else None
        if trace is not None:
            execute = replace(execute, context=replace(execute.context, traceparent=trace[0], trace_from=trace[1]))
        if principal is not None and request.header(RECORD):
            principal.require("record")
            return replace(execute, record="always")
        if self.record_failures and random.random() < self.record_failures:  # noqa: S311 - a sample, not a secret
            return replace(execute, record="failure")
        return execute

    def fixture(self, execute: ExecuteRequest, answer: ExecuteResponse, code: str | None) -> StoredFixture | None:
        """What was kept of an execution, where anything was."""
        sealed = answer.recording.fixture if answer.recording else None
        if sealed is None:
            return None
        context, now = execute.context, now_ms()
        return StoredFixture(
            tenant_id=context.tenant_id,
            install_id=context.install_id,
            execution_id=context.execution_id,
            extension_id=context.extension_id,
            version=context.version,
            content_hash=context.content_hash,
            reason="asked" if execute.record == "always" else code or "",
            created_at=now,
            expires_at=now + self.fixture_retention_ms,
            key_id=sealed.key_id,
            nonce=base64.b64decode(sealed.nonce_b64),
            ciphertext=base64.b64decode(sealed.ciphertext_b64),
        )

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


def receipt_headers(
    principal: Principal | None, execute: ExecuteRequest, answer: ExecuteResponse, elapsed_ms: float
) -> Headers:
    """What the client is told of an execution.

    Args:
        elapsed_ms: in the gateway, until now.
    """
    receipt = answer.receipt
    timing = f"queue;dur={receipt.queue_ms:.2f}, extension;dur={receipt.duration_ms:.2f}, total;dur={elapsed_ms:.2f}"
    headers: Headers = ((EXECUTION_ID, execute.context.execution_id), (SERVER_TIMING, timing))
    if execute.record == "always":
        recording = answer.recording or Recording(refused="unavailable")
        headers = (*headers, (RECORDED, recording.refused or "kept"))
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

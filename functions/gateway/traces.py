"""Which requests are traced, and the gateway's own span of each.

Rules kept here:

- A caller's `traceparent` is gone on with: its trace, and its decision where it is sampled. Others are sampled by the
  operator's share. Without a collector nothing is.
- What is not sampled costs a look at one header.
"""

import random
import time
from collections.abc import Iterable
from typing import Protocol

from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.tracing import Span, TraceParent


class Exporter(Protocol):
    """Where spans go (`oriel.otlp`)."""

    def export(self, spans: Iterable[Span]) -> None: ...
    def flush(self) -> bool: ...
    def close(self) -> None: ...


class Traces:
    """Traces of one gateway. It closes its exporter.

    Args:
        share: of requests that come without a sampled parent, from 0 to 1.
    """

    def __init__(self, exporter: Exporter, share: float = 0.0) -> None:
        self._exporter, self._share = exporter, share

    def begin(self, given: str | None) -> tuple[str, str] | None:
        """The `traceparent` of the gateway's span and the id of the span above; None where the request is not traced.

        Args:
            given: the `traceparent` that the request came with.
        """
        came = TraceParent.parse(given)
        if came is None or not came.sampled:
            if not self._share or random.random() >= self._share:  # noqa: S311 - a sample, not a secret
                return None
            came = came._replace(sampled=True) if came else None
        return (str(came.child()), came.span_id) if came else (str(TraceParent.new()), "")

    def finish(
        self, execute: ExecuteRequest, answer: ExecuteResponse, *, status: int, code: str | None, took_ms: float
    ) -> None:
        """Export the spans of an execution that is over.

        Args:
            took_ms: in the gateway, until now.
        """
        own = TraceParent.parse(execute.context.traceparent)
        if own is None:
            return
        context, now = execute.context, time.time_ns()
        told = {
            "http.request.method": execute.http.method,
            "http.route": execute.http.route,
            "http.response.status_code": str(status),
            "oriel.execution_id": context.execution_id,
            "oriel.request_id": context.request_id,
            "oriel.tenant_id": context.tenant_id,
            "oriel.extension_id": context.extension_id,
            "oriel.version": context.version,
            "oriel.trigger": context.trigger,
        }
        span = Span(
            trace_id=own.trace_id,
            span_id=own.span_id,
            parent_id=context.trace_from,
            name=f"{execute.http.method} {context.extension_id}{execute.http.route}",
            kind="server",
            start_ns=now - int(took_ms * 1e6),
            end_ns=now,
            attributes=told,
            error=code or "",
        )
        self._exporter.export((span, *answer.spans))

    def flush(self) -> None:
        self._exporter.flush()

    def close(self) -> None:
        self._exporter.close()

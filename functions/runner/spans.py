"""The spans of one sampled execution: itself, its host calls, and those that the guest marks itself.

Rules kept here:

- Host calls are seen by the tape that lies before them (`runner.tape`): without one nothing is measured.
- A guest marks a span with a log line at its end that has the fields `span`, its name, and `span_ms`, how long it took.
- Spans are bounded; further ones are left out, and counted on the execution's own.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from oriel.contract import ExecuteResponse, ExecutionContext, LogLine
from oriel.errors import OrielError
from oriel.tracing import MAX_SPANS, Span, TraceParent, new_span_id
from runner.execution import Tape

MAX_NAME = 128


def traced(
    context: ExecutionContext, tape: Tape | None, execute: Callable[[Tape | None], ExecuteResponse]
) -> ExecuteResponse:
    """Execute, and add the spans to the answer."""
    parent = TraceParent.parse(context.traceparent)
    if parent is None:
        return execute(tape)
    spans = SpanTape(parent, tape)
    response = execute(spans)
    return replace(response, spans=spans.spans(response))


class SpanTape:
    """Measures host calls on their way, to the world or to another tape.

    Args:
        parent: the gateway's span.
    """

    def __init__(self, parent: TraceParent, behind: Tape | None = None) -> None:
        self._parent, self.own = parent, parent.child()
        self._behind = behind
        self._started = time.time_ns()
        self._spans: list[Span] = []
        self._left_out = 0

    def call(self, name: str, arguments: Sequence[Any], carry_out: Callable[[], Any]) -> Any:
        began, error = time.time_ns(), ""
        try:
            return carry_out() if self._behind is None else self._behind.call(name, arguments, carry_out)
        except OrielError as failure:
            error = failure.code
            raise
        finally:
            if not name.startswith(("wasi:clocks/", "wasi:random/")):
                self._add(name, began, time.time_ns(), {}, error=error)

    def spans(self, response: ExecuteResponse) -> tuple[Span, ...]:
        """All of them, once the execution is over."""
        for line in response.logs:
            self._mark(line)
        receipt = response.receipt
        told = {"oriel.cpu_ms": str(receipt.cpu_ms), "oriel.memory_bytes": str(receipt.peak_memory_bytes)}
        told |= {"oriel.cold": str(receipt.cold).lower(), "oriel.queue_ms": str(receipt.queue_ms)}
        told |= {"oriel.spans_left_out": str(self._left_out)} if self._left_out else {}
        own = Span(
            trace_id=self.own.trace_id,
            span_id=self.own.span_id,
            parent_id=self._parent.span_id,
            name="runner.execute",
            start_ns=self._started,
            end_ns=time.time_ns(),
            attributes=told,
            error=response.error.code if response.error else "",
        )
        return (own, *self._spans)

    def _mark(self, line: LogLine) -> None:
        name, took = line.fields.get("span"), line.fields.get("span_ms", "")
        if name and took.replace(".", "", 1).isdecimal():
            end = self._started + int(line.at_ms * 1e6)
            self._add(name[:MAX_NAME], end - int(float(took) * 1e6), end, {"oriel.guest": "true"})

    def _add(self, name: str, start: int, end: int, attributes: dict[str, str], error: str = "") -> None:
        if len(self._spans) >= MAX_SPANS:
            self._left_out += 1
            return
        self._spans.append(
            Span(
                trace_id=self.own.trace_id,
                span_id=new_span_id(),
                parent_id=self.own.span_id,
                name=name,
                kind="client" if not attributes else "internal",
                start_ns=start,
                end_ns=end,
                attributes=attributes,
                error=error,
            )
        )

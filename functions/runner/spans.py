"""The spans of one sampled execution: itself, its host calls, and those that the guest marks itself.

Rules kept here:

- Host calls are seen by the tape that lies before them (`runner.tape`): without one nothing is measured.
- A guest marks a span with a log line at its end that has the fields `span`, its name, and `span_ms`, how long it took.
  The line's other fields are its attributes, and one of level `error` says that it failed.
- A span is below the smallest of the guest's that it lies within: a guest does one thing at a time.
- Spans and attributes are bounded, the guest's apart from the host's; further ones are left out, and further spans
  counted on the execution's own.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from oriel.contract import ExecuteResponse, ExecutionContext, LogLine
from oriel.errors import OrielError
from oriel.tracing import MAX_SPANS, Span, TraceParent, new_span_id
from runner.execution import Tape

MAX_NAME, MAX_VALUE, MAX_ATTRIBUTES, MAX_DIGITS = 128, 256, 16, 16
MAX_MARKS = 50
"""Of `MAX_SPANS`, those that are kept for the guest's own."""
SLACK_NS = 1_000_000
"""Guests measure in milliseconds."""


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
        self._calls: list[Span] = []
        self._marks: list[Span] = []
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
                span = self._span(name, began, time.time_ns(), kind="client", error=error)
                self._keep(self._calls, MAX_SPANS - MAX_MARKS, span)

    def spans(self, response: ExecuteResponse) -> tuple[Span, ...]:
        """All of them, once the execution is over."""
        for line in response.logs:
            self._mark(line)
        receipt = response.receipt
        told = {"oriel.cpu_ms": str(receipt.cpu_ms), "oriel.memory_bytes": str(receipt.peak_memory_bytes)}
        told |= {"oriel.cold": str(receipt.cold).lower(), "oriel.queue_ms": str(receipt.queue_ms)}
        told |= {"oriel.spans_left_out": str(self._left_out)} if self._left_out else {}
        error = response.error.code if response.error else ""
        whole = self._span("runner.execute", self._started, time.time_ns(), attributes=told, error=error)
        own = replace(whole, span_id=self.own.span_id, parent_id=self._parent.span_id)
        return (own, *(self._placed(span) for span in (*self._calls, *self._marks)))

    def _mark(self, line: LogLine) -> None:
        name, took = line.fields.get("span"), line.fields.get("span_ms", "")
        if not name or len(took) > MAX_DIGITS or not took.replace(".", "", 1).isdecimal():
            return
        end = self._started + int(line.at_ms * 1e6)
        others = [(key, value) for key, value in line.fields.items() if key not in {"span", "span_ms"}]
        told = {f"guest.{key}": value[:MAX_VALUE] for key, value in others[:MAX_ATTRIBUTES]}
        error = (line.message or "failed")[:MAX_VALUE] if line.level == "error" else ""
        began = max(self._started, end - int(float(took) * 1e6))
        attributes = {"oriel.guest": "true", **told}
        self._keep(self._marks, MAX_MARKS, self._span(name[:MAX_NAME], began, end, attributes=attributes, error=error))

    def _placed(self, span: Span) -> Span:
        """With the span that it is below. A span that ends later is logged later."""
        later = self._marks[self._marks.index(span) + 1 :] if span in self._marks else self._marks
        around = [mark for mark in later if _lies_within(span, mark)]
        if not around:
            return span
        smallest = min(around, key=lambda mark: mark.end_ns - mark.start_ns)
        return replace(span, parent_id=smallest.span_id)

    def _span(self, name: str, start: int, end: int, **told: Any) -> Span:
        """One below the execution's own."""
        return Span(
            trace_id=self.own.trace_id,
            span_id=new_span_id(),
            parent_id=self.own.span_id,
            name=name,
            start_ns=start,
            end_ns=end,
            **told,
        )

    def _keep(self, spans: list[Span], most: int, span: Span) -> None:
        if len(spans) < most:
            spans.append(span)
        else:
            self._left_out += 1


def _lies_within(span: Span, mark: Span) -> bool:
    return mark.start_ns - SLACK_NS <= span.start_ns and span.end_ns <= mark.end_ns + SLACK_NS

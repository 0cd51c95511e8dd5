"""Spans to a collector, by OTLP over HTTP with JSON (OpenTelemetry protocol 1.x, `/v1/traces`).

Rules kept here:

- `export` never waits and never fails: spans go into a bounded queue that a thread of its own empties. What does not
  fit, or is refused, is dropped and counted.
- Nothing of this is imported where no collector is configured.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx

from oriel import __version__
from oriel.tracing import Span

MAX_QUEUED = 20_000
BATCH = 500
LINGER_SECONDS = 1.0
SEND_SECONDS = 5.0
_KINDS = {"internal": 1, "server": 2, "client": 3}
_ERROR = 2

_log = logging.getLogger(__name__)


class OtlpExporter:
    """Sends spans. Close it.

    Args:
        endpoint: of the collector, without `/v1/traces`.
        headers: sent along, for its credentials.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._http = httpx.Client(headers=dict(headers or {}), timeout=SEND_SECONDS, trust_env=False)
        self._queue: deque[Span] = deque()
        self._changed = threading.Condition()
        self._sending = False
        self._closing = False
        self._hurry = False
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self._thread.start()

    def export(self, spans: Iterable[Span]) -> None:
        with self._changed:
            for span in spans:
                if len(self._queue) < MAX_QUEUED and not self._closing:
                    self._queue.append(span)
                else:
                    self.dropped += 1
            self._changed.notify_all()

    def flush(self, timeout: float = SEND_SECONDS) -> bool:
        """Wait until all that is queued is sent; whether it was, in time."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            done = self._changed.wait_for(lambda: not self._queue and not self._sending, timeout)
            self._hurry = False
            return done

    def close(self) -> None:
        self.flush()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(SEND_SECONDS)
        self._http.close()

    def _run(self) -> None:
        while batch := self._next():
            self._send(batch)
            with self._changed:
                self._sending = False
                self._changed.notify_all()

    def _next(self) -> list[Span]:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            deadline = time.monotonic() + LINGER_SECONDS
            self._changed.wait_for(
                lambda: len(self._queue) >= BATCH or self._closing or self._hurry, deadline - time.monotonic()
            )
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._sending = bool(batch)
            return batch

    def _send(self, batch: Sequence[Span]) -> None:
        try:
            self._http.post(self._url, json=message(batch)).raise_for_status()
        except httpx.HTTPError as error:
            self.dropped += len(batch)
            _log.warning("spans were not taken", extra={"spans": len(batch), "reason": type(error).__name__})


def message(spans: Sequence[Span]) -> dict[str, Any]:
    """`ExportTraceServiceRequest` in its JSON form."""
    resource = {"attributes": _attributes({"service.name": "oriel", "service.version": __version__})}
    scope = {"scope": {"name": "oriel", "version": __version__}, "spans": [_span(span) for span in spans]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _span(span: Span) -> dict[str, Any]:
    told: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _attributes(span.attributes),
    }
    told |= {"parentSpanId": span.parent_id} if span.parent_id else {}
    return told | ({"status": {"code": _ERROR, "message": span.error}} if span.error else {})


def _attributes(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]

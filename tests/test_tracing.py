"""Traces end to end: in by `traceparent`, through gateway, runner and host calls, out to a collector and to others."""

import pytest
from msgspec.structs import replace

from gateway.traces import Traces
from oriel.contract import ExecuteResponse, LogLine, Receipt
from oriel.otlp import OtlpExporter
from oriel.tracing import MAX_SPANS, Span, TraceParent
from runner.spans import MAX_ATTRIBUTES, MAX_MARKS, MAX_VALUE, SpanTape
from tests.guests.build import guest
from tests.support.platform import client, publish_and_install, running

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACED = guest(
    """(call $context.now-ms)
       (drop)
       (i32.store (i32.const 2048) (i32.const 1024)) (i32.store (i32.const 2052) (i32.const 4))
       (i32.store (i32.const 2056) (i32.const 1028)) (i32.store (i32.const 2060) (i32.const 4))
       (i32.store (i32.const 2064) (i32.const 1032)) (i32.store (i32.const 2068) (i32.const 7))
       (i32.store (i32.const 2072) (i32.const 1039)) (i32.store (i32.const 2076) (i32.const 4))
       (call $log.emit (i32.const 0) (i32.const 1028) (i32.const 4) (i32.const 2048) (i32.const 2))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
    imports=("context.now-ms", "log.emit"),
    data="spanloadspan_ms5000",
)
"""Asks for the time, and marks a span `load` that it says has taken five seconds, longer than it has run."""
NOT_ONES = [
    None,
    "",
    "00-xyz",
    PARENT.replace("00-4", "ff-4"),
    PARENT + "-more",
    PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
]


class Sink:
    def __init__(self):
        self.spans = []

    def export(self, spans):
        self.spans += spans


@pytest.mark.parametrize("text", NOT_ONES)
def test_what_is_no_traceparent_is_none(text):
    assert TraceParent.parse(text) is None


def test_a_traceparent_is_read_and_written():
    parent = TraceParent.parse(PARENT)
    assert (str(parent), parent.sampled) == (PARENT, True)
    assert TraceParent.parse("01-" + PARENT[3:] + "-later").trace_id == parent.trace_id
    assert parent.child().trace_id == parent.trace_id
    assert parent.child().span_id != parent.span_id


def test_a_callers_trace_is_gone_on_with_and_others_by_the_share():
    never, always = Traces(Sink()), Traces(Sink(), share=1.0)
    own, above = never.begin(PARENT)
    assert (own[:36], above) == (PARENT[:36], "00f067aa0ba902b7")
    assert never.begin(None) is None
    assert never.begin(PARENT[:-1] + "0") is None
    assert always.begin(PARENT[:-1] + "0")[0][:36] == PARENT[:36]
    assert always.begin(None)[1] == ""


def test_host_calls_and_the_guests_own_marks_are_spans():
    tape = SpanTape(TraceParent.parse(PARENT))
    assert tape.call("oriel:extension/storage.get", ("a",), lambda: 7) == 7
    tape.call("wasi:clocks/wall-clock.now", (), lambda: 1)
    line = LogLine(at_ms=20.0, level="debug", message="loaded", fields={"span": "load notes", "span_ms": "12.5"})
    own, call, mark = tape.spans(ExecuteResponse(status=200, receipt=Receipt(cpu_ms=1.0), logs=(line,)))
    assert (own.name, own.parent_id) == ("runner.execute", "00f067aa0ba902b7")
    assert (call.name, call.parent_id, call.kind) == ("oriel:extension/storage.get", own.span_id, "client")
    assert (mark.name, mark.end_ns - mark.start_ns) == ("load notes", 12_500_000)


def mark(name, at_ms, took, level="debug", **fields):
    return LogLine(at_ms=at_ms, level=level, message="why", fields={"span": name, "span_ms": took, **fields})


def test_the_guests_spans_are_a_tree_with_the_host_calls_that_they_made():
    tape = SpanTape(TraceParent.parse(PARENT))
    tape.call("early", (), lambda: None)
    tape._calls[0] = replace(tape._calls[0], start_ns=tape._started, end_ns=tape._started + 2_000_000)
    for place, name in enumerate(("inside", "late")):
        tape.call(name, (), lambda: None)
        began = tape._started + (30 + 40 * place) * 1_000_000
        tape._calls[-1] = replace(tape._calls[-1], start_ns=began, end_ns=began + 5_000_000)
    logs = (mark("read", 40.0, "15"), mark("parse", 50.0, "5", "error", rows="7"), mark("load", 55.0, "35"))
    spans = {span.name: span for span in tape.spans(ExecuteResponse(status=200, logs=logs))}
    ids = {span.span_id: name for name, span in spans.items()}
    above = {name: ids.get(span.parent_id) for name, span in spans.items()}
    assert above == {
        "runner.execute": None,
        "early": "runner.execute",
        "inside": "read",
        "late": "runner.execute",
        "read": "load",
        "parse": "load",
        "load": "runner.execute",
    }
    assert (spans["parse"].error, spans["parse"].attributes["guest.rows"], spans["read"].error) == ("why", "7", "")


def test_spans_and_attributes_are_bounded_and_what_is_left_out_is_counted():
    tape = SpanTape(TraceParent.parse(PARENT))
    for _ in range(MAX_SPANS):
        tape.call("x", (), lambda: None)
    fields = {f"f{number}": "v" * 1_000 for number in range(30)}
    logs = [mark("m" * 500, 1.0, "1", **fields)] * (MAX_MARKS + 3)
    wrong = [mark("never", 1.0, took) for took in ("", "x", "-1", "1e9", "9" * 400, "1.2.3")]
    own, *rest = tape.spans(ExecuteResponse(status=200, logs=(*wrong, *logs)))
    assert (len(rest), own.attributes["oriel.spans_left_out"]) == (MAX_SPANS, str(MAX_MARKS + 3))
    marks = [span for span in rest if span.kind == "internal"]
    assert (len(marks), {len(span.attributes) for span in marks}) == (MAX_MARKS, {MAX_ATTRIBUTES + 1})
    assert max(len(value) for value in marks[0].attributes.values()) == MAX_VALUE


def test_a_collector_that_refuses_costs_spans_and_nothing_else(collector):
    collector.status = 503
    exporter = OtlpExporter(collector.url, {"x-key": "k"})
    exporter.export([Span(trace_id="a" * 32, span_id="b" * 16, name="x", start_ns=1, end_ns=2, error="guest_trap")])
    assert exporter.flush(20)
    assert exporter.dropped == 1
    exporter.close()
    exporter.export([Span(trace_id="a" * 32, span_id="b" * 16, name="y", start_ns=1, end_ns=2)])
    assert exporter.dropped == 2
    assert collector.spans["x"]["status"] == {"code": 2, "message": "guest_trap"}


def test_one_trace_goes_through_gateway_runner_and_host_calls(collector, tmp_path):
    with running(tmp_path, otlp_endpoint=collector.url) as platform:
        name = publish_and_install(platform, TRACED, name="com.acme.traced")
        with client(platform) as caller:
            assert caller.call(name, "/", headers=[("traceparent", PARENT)]).status_code == 200
            assert caller.call(name, "/").status_code == 200
            assert collector.came.wait(20)
            metrics = caller.send("GET", "/metrics").text
        with client(platform, "admin") as nobody:
            assert nobody.send("GET", "/metrics").status_code == 403
    spans = collector.spans
    assert {span["traceId"] for span in spans.values()} == {PARENT[3:35]}
    door, execution = spans[f"GET {name}/"], spans["runner.execute"]
    assert door["parentSpanId"] == "00f067aa0ba902b7"
    assert execution["parentSpanId"] == door["spanId"]
    assert spans["load"]["parentSpanId"] == execution["spanId"]
    assert spans["oriel:extension/context.now-ms"]["parentSpanId"] == spans["load"]["spanId"]
    assert "oriel_worker_running{" in metrics

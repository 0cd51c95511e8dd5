"""Metrics for CloudWatch: its embedded metric format, JSON lines that CloudWatch reads out of a function's log.

Rules kept here: one line for a batch and a set of labels, with the values themselves (at most 100 a metric and line),
so that CloudWatch can make percentiles; nothing is sent from here.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TextIO

from oriel.metrics import METRICS, samples
from oriel.store.records import Execution

NAMESPACE = "Oriel"
MAX_VALUES = 100


class EmfWriter:
    """An observer of executions (`gateway.journal`) that writes to standard output."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def __call__(self, executions: Sequence[Execution]) -> None:
        at_ms = time.time_ns() // 1_000_000
        for line in lines(executions, at_ms):
            print(line, file=self._stream, flush=True)


def lines(executions: Sequence[Execution], at_ms: int) -> Iterator[str]:
    """The lines of a batch. `at_ms` is in Unix milliseconds."""
    values: dict[tuple[str, tuple[str, ...]], list[float]] = {}
    for execution in executions:
        for name, labels, value in samples(execution):
            values.setdefault((name, labels), []).append(value)
    for (name, labels), all_ in values.items():
        metric = METRICS[name]
        told = dict(zip(metric.labels, labels, strict=True))
        for start in range(0, len(all_), MAX_VALUES):
            some = all_[start : start + MAX_VALUES]
            directive = {
                "Namespace": NAMESPACE,
                "Dimensions": [list(metric.labels), []],
                "Metrics": [{"Name": name, "Unit": metric.unit}],
            }
            line = {"_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [directive]}, **told}
            yield json.dumps(line | {name: some if metric.kind == "histogram" else sum(some)})

"""What is measured of executions: one table of names, for Prometheus on one machine and CloudWatch in AWS alike. Pure.

Everything is read off log entries, which the journal shows its observers: a request pays for nothing here. There is no
label for the tenant, whose number has no bound; usage has that.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from oriel.store.records import Execution

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BYTES: Final = tuple(float(1 << power) for power in range(20, 33))


class Metric(Struct, frozen=True):
    """One name: a counter's ends with `_total`; `unit` is CloudWatch's, `bounds` a histogram's."""

    name: str
    kind: Literal["counter", "histogram"]
    unit: Literal["Count", "Seconds", "Bytes"]
    labels: tuple[str, ...]
    help: str
    bounds: tuple[float, ...] = ()


_ALL: Final = (
    Metric(
        "oriel_executions_total", "counter", "Count", ("extension_id", "trigger", "outcome"), "Executions that ended."
    ),
    Metric(
        "oriel_errors_total", "counter", "Count", ("extension_id", "code"), "Executions that failed, by error code."
    ),
    Metric(
        "oriel_execution_seconds",
        "histogram",
        "Seconds",
        ("extension_id",),
        "In the runner, waiting included.",
        SECONDS,
    ),
    Metric("oriel_queue_seconds", "histogram", "Seconds", ("extension_id",), "Waiting for a thread.", SECONDS),
    Metric("oriel_cpu_seconds", "histogram", "Seconds", ("extension_id",), "CPU of an execution's thread.", SECONDS),
    Metric("oriel_memory_bytes", "histogram", "Bytes", ("extension_id",), "The guest's memory at its end.", BYTES),
    Metric("oriel_fuel_total", "counter", "Count", ("extension_id",), "Fuel used, where it is counted."),
    Metric("oriel_egress_bytes_total", "counter", "Bytes", ("extension_id",), "To and from other hosts."),
    Metric("oriel_cold_starts_total", "counter", "Count", ("extension_id",), "The component was not in memory."),
    Metric("oriel_component_cache_total", "counter", "Count", ("result",), "Components by `hit` and `miss`."),
)
METRICS: Final[Mapping[str, Metric]] = {metric.name: metric for metric in _ALL}


class WorkerState(Struct, frozen=True):
    """One worker now: executions inside it, and those that wait for one of its threads."""

    pid: int
    running: int
    waiting: int


class GatewayState(Struct, frozen=True):
    """What the gateway has counted since it started.

    Attributes:
        refusals: requests that no execution came of, by error code.
        cached, read: installs found in its cache, and read from the store.
        dropped: log entries that were lost.
    """

    refusals: dict[str, int]
    cached: int
    read: int
    dropped: int


class Sample(NamedTuple):
    """A value of one metric, with its labels' values in their order."""

    name: str
    labels: tuple[str, ...]
    value: float


def samples(execution: Execution) -> Iterator[Sample]:
    """What one execution adds to."""
    receipt, extension = execution.receipt, (execution.extension_id,)
    failed = execution.error_code is not None
    yield Sample("oriel_executions_total", (*extension, execution.trigger, "failed" if failed else "succeeded"), 1)
    if failed:
        yield Sample("oriel_errors_total", (*extension, execution.error_code or ""), 1)
    for name, field in (
        ("oriel_execution_seconds", "duration_ms"),
        ("oriel_queue_seconds", "queue_ms"),
        ("oriel_cpu_seconds", "cpu_ms"),
    ):
        yield Sample(name, extension, receipt.get(field, 0.0) / 1000)
    yield Sample("oriel_memory_bytes", extension, receipt.get("peak_memory_bytes", 0))
    for name, field in (("oriel_fuel_total", "fuel"), ("oriel_egress_bytes_total", "egress_bytes")):
        if used := receipt.get(field):
            yield Sample(name, extension, used)
    cold = bool(receipt.get("cold"))
    if cold:
        yield Sample("oriel_cold_starts_total", extension, 1)
    yield Sample("oriel_component_cache_total", ("miss" if cold else "hit",), 1)

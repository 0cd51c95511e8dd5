"""Metrics for Prometheus: counters and histograms in this process, and what its workers show on their boards.

Workers are processes of their own. What they do arrives here in log entries; what they are doing now (running, waiting,
CPU, memory) is read when it is asked for, off shared memory and `/proc`.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from oriel.metrics import METRICS, GatewayState, Metric, WorkerState, samples
from oriel.store.records import Execution

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Prometheus:
    """An observer of executions, and the page that Prometheus scrapes."""

    def __init__(
        self, workers: Callable[[], Sequence[WorkerState]], gateway: Callable[[], GatewayState] | None = None
    ) -> None:
        self._registry = CollectorRegistry()
        self._made: dict[str, Any] = {name: self._make(metric) for name, metric in METRICS.items()}
        self.gateway = gateway
        self._registry.register(_Now(workers, lambda: self.gateway() if self.gateway else None))

    def __call__(self, executions: Sequence[Execution]) -> None:
        for execution in executions:
            for name, labels, value in samples(execution):
                kept = self._made[name].labels(*labels)
                kept.inc(value) if METRICS[name].kind == "counter" else kept.observe(value)

    def page(self) -> bytes:
        return generate_latest(self._registry)

    def _make(self, metric: Metric) -> Counter | Histogram:
        if metric.kind == "counter":
            return Counter(metric.name, metric.help, metric.labels, registry=self._registry)
        return Histogram(metric.name, metric.help, metric.labels, registry=self._registry, buckets=metric.bounds)


class _Now(Collector):
    """What is read when it is asked for."""

    def __init__(
        self, workers: Callable[[], Sequence[WorkerState]], gateway: Callable[[], GatewayState | None]
    ) -> None:
        self._workers, self._gateway = workers, gateway

    def describe(self) -> Iterable[Any]:
        return ()

    def collect(self) -> Iterator[Any]:
        workers = self._workers()
        for name, text, value in _WORKER_GAUGES:
            family = GaugeMetricFamily(name, text, labels=["pid"])
            for worker in workers:
                family.add_metric([str(worker.pid)], value(worker))
            yield family
        state = self._gateway()
        if state is not None:
            refusals = CounterMetricFamily("oriel_refusals", "Requests that no execution came of.", labels=["code"])
            for code, count in sorted(state.refusals.items()):
                refusals.add_metric([code], count)
            yield refusals
            cache = CounterMetricFamily("oriel_resolution_cache", "Installs looked up, by result.", labels=["result"])
            cache.add_metric(["hit"], state.cached)
            cache.add_metric(["miss"], state.read)
            yield cache
            yield CounterMetricFamily("oriel_journal_dropped", "Log entries that were lost.", value=state.dropped)


def _cpu_seconds(worker: WorkerState) -> float:
    fields = _stat(worker.pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _resident_bytes(worker: WorkerState) -> float:
    fields = _stat(worker.pid)
    return float(int(fields[21]) * _PAGE) if fields else 0.0


def _stat(pid: int) -> list[str]:
    """proc(5): the fields after the command, which may have spaces; none where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    except OSError:
        return []


_WORKER_GAUGES: tuple[tuple[str, str, Callable[[WorkerState], float]], ...] = (
    ("oriel_worker_running", "Executions inside a worker.", lambda worker: float(worker.running)),
    ("oriel_worker_waiting", "Executions that wait for a worker's thread.", lambda worker: float(worker.waiting)),
    ("oriel_worker_cpu_seconds", "CPU that a worker has used.", _cpu_seconds),
    ("oriel_worker_resident_bytes", "Memory of a worker.", _resident_bytes),
)

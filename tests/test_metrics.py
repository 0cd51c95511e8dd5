"""The same names for Prometheus and for CloudWatch, from the log entries of executions."""

import io
import json
import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from oriel.metrics import METRICS, GatewayState, WorkerState, samples
from oriel.metrics.emf import EmfWriter
from oriel.metrics.prometheus import Prometheus
from tests.registry.test_observing import execution

GOOD = execution(receipt={"duration_ms": 30.0, "queue_ms": 1.0, "cpu_ms": 20.0, "peak_memory_bytes": 2_000_000})
BAD = execution(
    1, error_code="guest_trap", status=502, receipt={"duration_ms": 3.0, "cold": True, "egress_bytes": 9, "fuel": 5}
)


@pytest.fixture
def scraped():
    page = Prometheus(
        lambda: [WorkerState(os.getpid(), 2, 3)], lambda: GatewayState({"rate_limited": 4}, cached=8, read=1, dropped=0)
    )
    page([GOOD, BAD])
    families = text_string_to_metric_families(page.page().decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_prometheus_sees_what_executions_used(scraped):
    name = GOOD.extension_id
    assert scraped["oriel_executions_total", name, "succeeded", "http"] == 1
    assert scraped["oriel_errors_total", "guest_trap", name] == 1
    assert scraped["oriel_execution_seconds_count", name] == 2
    assert scraped["oriel_execution_seconds_sum", name] == pytest.approx(0.033)
    assert scraped["oriel_cpu_seconds_bucket", name, "0.025"] == 2
    assert (scraped["oriel_egress_bytes_total", name], scraped["oriel_fuel_total", name]) == (9, 5)
    assert (scraped["oriel_component_cache_total", "hit"], scraped["oriel_component_cache_total", "miss"]) == (1, 1)
    assert scraped["oriel_cold_starts_total", name] == 1


def test_prometheus_sees_the_workers_and_the_gateway(scraped):
    pid = str(os.getpid())
    assert (scraped["oriel_worker_running", pid], scraped["oriel_worker_waiting", pid]) == (2, 3)
    assert scraped["oriel_worker_cpu_seconds", pid] > 0
    assert scraped["oriel_worker_resident_bytes", pid] > 1_000_000
    assert scraped["oriel_refusals_total", "rate_limited"] == 4
    assert (scraped["oriel_resolution_cache_total", "hit"], scraped["oriel_resolution_cache_total", "miss"]) == (8, 1)


def test_a_worker_that_is_gone_counts_nothing():
    page = Prometheus(lambda: [WorkerState(2**22 + 1, 0, 0)]).page().decode()
    assert f'oriel_worker_resident_bytes{{pid="{2**22 + 1}"}} 0.0' in page


def test_cloudwatch_gets_the_same_names_as_lines_of_a_log():
    stream = io.StringIO()
    EmfWriter(stream)([GOOD] * 150 + [BAD])
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    names = {line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in told}
    assert names == set(METRICS)
    durations = [line["oriel_execution_seconds"] for line in told if "oriel_execution_seconds" in line]
    assert [len(values) for values in durations] == [100, 51]
    (errors,) = [line for line in told if "oriel_errors_total" in line]
    assert (errors["code"], errors["oriel_errors_total"], errors["extension_id"]) == ("guest_trap", 1, BAD.extension_id)
    assert errors["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["extension_id", "code"], []]


def test_every_sample_is_of_the_table():
    for sample in (*samples(GOOD), *samples(BAD)):
        assert len(METRICS[sample.name].labels) == len(sample.labels)

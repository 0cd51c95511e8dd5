"""What a guest measures: names, bounds, and what becomes of the samples."""

import pytest

from oriel.contract import HISTOGRAM_BOUNDS
from runner.execution import Execution
from runner.host import metrics

OK = ("ok", None)


def labels(**pairs):
    return [{"name": name, "value": value} for name, value in pairs.items()]


def case(result):
    return result[1][0]


def test_a_counter_sums_a_gauge_keeps_the_last_and_a_histogram_sorts_into_buckets(make_execution):
    execution = make_execution()
    for by in (1, 2.5):
        assert metrics.count(execution, "orders_total", by, labels(kind="a")) == OK
    for value in (3, 4):
        assert metrics.gauge(execution, "depth", value, []) == OK
    for value in (0.001, 0.002, 1e9):
        assert metrics.observe(execution, "took_seconds", value, []) == OK
    counter, gauge, histogram = metrics.totals(execution)
    assert (counter.value, counter.count, counter.labels) == (3.5, 2, {"kind": "a"})
    assert (gauge.value, gauge.count) == (4, 2)
    assert (histogram.count, histogram.value, len(histogram.buckets)) == (3, 1e9 + 0.003, len(HISTOGRAM_BOUNDS) + 1)
    assert (histogram.buckets[0], histogram.buckets[1], histogram.buckets[-1]) == (1, 1, 1)


def test_the_order_of_labels_makes_no_new_series(make_execution):
    execution = make_execution()
    metrics.count(execution, "n", 1, labels(a="1", b="2"))
    metrics.count(execution, "n", 1, labels(b="2", a="1"))
    assert [series.count for series in metrics.totals(execution)] == [2]


@pytest.mark.parametrize("name", ["", "1a", "a b", "a-b", "a:b", "ä", "a" * 65, "a\n"])
def test_a_name_that_prometheus_would_not_take_is_refused(make_execution, name):
    execution = make_execution()
    assert case(metrics.count(execution, name, 1, [])) == "invalid"
    assert case(metrics.count(execution, "n", 1, labels(**{name: "x"}))) == "invalid"
    assert metrics.totals(execution) == ()


@pytest.mark.parametrize("name", ["__name__", "le", "quantile"])
def test_labels_of_prometheus_own_are_refused(make_execution, name):
    assert case(metrics.observe(make_execution(), "n", 1, labels(**{name: "x"}))) == "invalid"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_a_value_that_cannot_be_summed_is_refused(make_execution, value):
    assert case(metrics.gauge(make_execution(), "n", value, [])) == "invalid"


def test_a_counter_does_not_go_down(make_execution):
    assert case(metrics.count(make_execution(), "n", -1, [])) == "invalid"


def test_one_name_is_one_kind(make_execution):
    execution = make_execution()
    metrics.count(execution, "n", 1, [])
    assert case(metrics.gauge(execution, "n", 1, [])) == "invalid"


def test_a_label_twice_or_too_many_labels_are_refused(make_execution):
    execution = make_execution()
    assert case(metrics.count(execution, "n", 1, labels(a="1") * 2)) == "invalid"
    many = labels(**{f"l{at}": "" for at in range(metrics.MAX_LABELS + 1)})
    assert case(metrics.count(execution, "n", 1, many)) == "invalid"


def test_cardinality_is_bounded_and_known_series_go_on(make_execution):
    execution = make_execution(limits={"max_metric_series": 2})
    answers = [metrics.count(execution, "n", 1, labels(user=str(at))) for at in range(4)]
    assert [answer[0] for answer in answers] == ["ok", "ok", "err", "err"]
    assert case(answers[-1]) == "limit-exceeded"
    assert metrics.count(execution, "n", 1, labels(user="0")) == OK
    assert (len(metrics.totals(execution)), execution.budgets.metrics_dropped) == (2, 2)


def test_samples_are_bounded_and_never_end_the_execution(make_execution):
    execution = make_execution(limits={"max_metric_samples": 3})
    answers = [metrics.count(execution, "n", 1, []) for _ in range(5)]
    assert [answer[0] for answer in answers] == ["ok"] * 3 + ["err"] * 2
    assert (metrics.totals(execution)[0].value, execution.budgets.metrics_dropped) == (3, 2)


def test_a_label_carries_no_opened_secret_and_no_control_characters(make_execution):
    execution: Execution = make_execution()
    execution.secrets._opened["token"] = "s3cr3t-value"
    metrics.count(execution, "n", 1, labels(a="x s3cr3t-value", b="a\nb", c="é" * 200))
    found = metrics.totals(execution)[0].labels
    assert (found["a"], found["b"]) == ("x [secret]", "a\\nb")
    assert len(found["c"].encode()) <= metrics.MAX_VALUE_BYTES

"""The load model against what is known of queues, and against sums by hand."""

import math

import pytest

from benchmarks import load_model, prices
from benchmarks.load_model import MONTH_SECONDS, Request, limits, monthly, peak, waiting_seconds

ONE = Request(
    gateway_ms=5,
    invoke_ms=10,
    runner_ms=5,
    gateway_gb=1,
    runner_gb=2,
    read_units=0,
    write_units=4,
    tenant_writes=2,
    log_bytes=2_000,
    egress_bytes=1_000,
    ui_requests=1,
    ui_bytes=10_000,
)


def test_waits_are_those_of_the_textbook():
    assert waiting_seconds(0.5, 1, 1, squared_variation=1) == pytest.approx(1.0)  # M/M/1
    assert waiting_seconds(0.5, 1, 1, squared_variation=0) == pytest.approx(0.5)  # M/D/1
    assert waiting_seconds(1, 1, 2, squared_variation=1) == pytest.approx(1 / 3)  # M/M/2
    assert waiting_seconds(2, 1, 2, squared_variation=1) == math.inf


def test_a_peak_is_the_poisson_distributions_own():
    assert [peak(mean) for mean in (0, 1, 10, 100)] == [0, 5, 21, 132]
    assert 0 <= peak(501) - peak(500) <= 2  # another way of counting begins there


def test_a_month_costs_what_it_costs_by_hand():
    millions = 10 * MONTH_SECONDS / 1e6
    paid = monthly(10, ONE)
    assert paid["api"] == pytest.approx(millions * 1.00)
    assert paid["lambda"] == pytest.approx(millions * 0.40 + 1e6 * millions * (20 * 1 + 5 * 2) / 1_000 * 0.0000133334)
    assert paid["dynamodb"] == pytest.approx(millions * 4 * 0.625)
    assert paid["logs"] == pytest.approx(millions * 2 * 0.50)
    assert paid["egress"] == pytest.approx(millions * 0.09)
    assert paid["s3"] + paid["cloudfront"] == pytest.approx(millions * (0.40 + 1.00 + 10 * 0.085))


def test_what_is_bought_in_tiers_gets_cheaper():
    assert prices.cost(400, prices.API_MILLION) == pytest.approx(300 + 100 * 0.90)
    assert sum(monthly(10_000, ONE).values()) < 1_000 * sum(monthly(10, ONE).values())


def test_limits_are_named_where_they_are_passed_and_nowhere_else():
    assert dict(limits(10, ONE)) == {}
    passed = dict(limits(10_000, ONE))
    assert passed["api_requests_second"] == 10_000 * load_model.BURST
    assert passed["table_write_units_second"] == 40_000 * load_model.BURST
    assert passed["hottest_tenants_writes_second"] == 4_000
    assert "table_read_units_second" not in passed

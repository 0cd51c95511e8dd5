"""Rate, concurrency and daily quotas at the gateway: exact within one lease per live gateway."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from gateway.admission import Admission
from gateway.meters import LEASE_SECONDS, lease_size
from oriel.contract import Receipt
from oriel.errors import OrielError
from oriel.quotas import Quotas
from tests.support.gateway import EXTENSION, NOW, Clock, Leases, bearer, resolution

FREE = Quotas()


class Site:
    """Gateways over one store's meters; time is what the test says."""

    def __init__(self, gateways=1):
        self.clock, self.seconds = Clock(NOW), Clock(0.0)
        self.leases = Leases(self.clock)
        self.gateways = [
            Admission(self.leases, clock=self.seconds, max_timeout_ms=1_000, background=False) for _ in range(gateways)
        ]
        self.gateway = self.gateways[0]

    def wait(self, seconds):
        self.clock.now += int(seconds * 1000)
        self.seconds.now += seconds

    def call(self, tenant=FREE, install=FREE, *, gateway=None, tenant_id="acme", extension_id=EXTENSION, **used):
        """Begin and end one execution; the refusal where there is one."""
        try:
            with (gateway or self.gateway).admit(tenant_id, extension_id, tenant, install) as admitted:
                admitted.used(Receipt(**used))
        except OrielError as refused:
            return refused
        return None

    def passed(self, count, *args, **kwargs):
        return sum(self.call(*args, **kwargs) is None for _ in range(count))


@pytest.fixture
def site():
    return Site()


# rate


@pytest.mark.parametrize("scope", ["tenant", "install"])
def test_the_burst_passes_and_then_the_rate(site, scope):
    bounds = {scope: Quotas(requests_per_second=10, burst=40)}
    assert site.passed(60, **bounds) == 40
    site.wait(1.5)
    assert site.passed(60, **bounds) == 15


def test_a_refusal_says_when_to_come_back_and_what_is_left(site):
    quotas = Quotas(requests_per_second=0.5, burst=1, daily_invocations=100)
    assert site.call(install=quotas) is None
    refused = site.call(install=quotas)
    assert (refused.code, refused.status, refused.retry_after) == ("rate_limited", 429, 2)
    assert refused.extra == {
        "scope": "install",
        "limit": "requests_per_second",
        "allowed": 0.5,
        "left": {"requests": 0, "daily_invocations": 99},
    }
    headers = refused.headers()
    assert headers["retry-after"] == "2"
    assert headers["ratelimit-policy"] == '"install";q=1;w=2, "install-day";q=100;w=86400'
    assert headers["ratelimit"].startswith('"install";r=0;t=2, "install-day";r=99;t=')


def test_two_gateways_together_pass_no_more_than_the_rate():
    site, quotas = Site(gateways=2), Quotas(requests_per_second=10, burst=40)
    passed = sum(site.passed(30, quotas, gateway=gateway) for _ in range(2) for gateway in site.gateways)
    assert passed == 40
    passed = 0
    for _ in range(100):
        site.wait(0.1)
        passed += sum(site.passed(2, quotas, gateway=gateway) for gateway in site.gateways)
    assert 100 - 2 * lease_size(quotas) <= passed <= 100


def test_one_tenants_rate_is_not_anothers(site):
    quotas = Quotas(requests_per_second=1, burst=1)
    assert [site.passed(3, quotas, tenant_id=tenant) for tenant in ("acme", "globex")] == [1, 1]


def test_a_tenants_installs_share_the_tenants_rate(site):
    quotas = Quotas(requests_per_second=1, burst=4)
    assert [site.passed(3, quotas, extension_id=name) for name in ("com.acme.a", "com.acme.b")] == [3, 1]


def test_most_requests_ask_the_store_nothing(site):
    quotas = Quotas(requests_per_second=100, burst=200)
    assert site.passed(200, quotas, quotas) == 200
    assert len(site.leases.asked) <= 0.2 * 200


def test_a_gateway_with_little_to_do_holds_little(site):
    quotas = Quotas(requests_per_second=1_000, burst=2_000)
    for _ in range(5):
        site.passed(1, quotas)
        site.wait(LEASE_SECONDS)
    assert [asks[0].tokens for _, asks in site.leases.asked] == [8, 4, 2, 2, 2]
    site.passed(100, quotas)
    assert [asks[0].tokens for _, asks in site.leases.asked[5:]] == [2, 4, 8, 16, 32, 64]


def test_who_is_refused_does_not_ask_the_store_each_time(site):
    quotas = Quotas(requests_per_second=1, burst=1)
    site.passed(1_000, quotas)
    assert len(site.leases.asked) <= 3


def test_a_lease_that_was_not_spent_is_given_back(site):
    quotas = Quotas(requests_per_second=1, burst=100)
    assert site.call(quotas) is None
    site.wait(LEASE_SECONDS)
    site.gateway.settle()
    assert site.leases.meters["acme", ""].invocations == 1
    assert site.leases.meters["acme", ""].tokens == 100
    site.gateway.settle()
    assert len(site.leases.asked) == 2


def test_closing_gives_everything_back(site):
    quotas = Quotas(requests_per_second=1, burst=100, concurrent=10)
    assert site.call(quotas, cpu_ms=5) is None
    site.gateway.close()
    meter = site.leases.meters["acme", ""]
    assert (meter.tokens, meter.invocations, meter.cpu_ms, meter.holders) == (99, 1, 5, {})


def test_a_lowered_rate_holds_for_what_was_leased_before(site):
    assert site.passed(1, Quotas(requests_per_second=100, burst=400)) == 1
    assert site.passed(50, Quotas(requests_per_second=1, burst=2)) == 2


# concurrency


def test_no_more_executions_at_once_than_allowed_across_gateways():
    site, quotas = Site(gateways=2), Quotas(concurrent=5)
    with ExitStack() as running:
        began, refused = 0, set()
        for gateway in site.gateways * 5:
            site.wait(0.2)
            try:
                running.enter_context(gateway.admit("acme", EXTENSION, quotas, FREE))
                began += 1
            except OrielError as error:
                refused.add((error.code, error.extra["limit"]))
        assert 5 - 1 <= began <= 5
        assert refused == {("rate_limited", "concurrent")}
    site.wait(LEASE_SECONDS)
    assert site.passed(20, quotas) == 20


def test_a_place_that_is_free_again_is_used_at_once(site):
    quotas = Quotas(concurrent=1)
    with site.gateway.admit("acme", EXTENSION, quotas, FREE):
        assert site.call(quotas).extra["limit"] == "concurrent"
    assert site.call(quotas) is None


def test_the_places_of_a_gateway_that_died_lapse():
    site, quotas = Site(gateways=2), Quotas(concurrent=1)
    site.gateways[0].admit("acme", EXTENSION, quotas, FREE)
    assert site.call(quotas, gateway=site.gateways[1]) is not None
    site.wait(60)
    assert site.call(quotas, gateway=site.gateways[1]) is None


def test_many_threads_never_pass_the_bound_together(site):
    quotas, running, most, lock = Quotas(concurrent=3), 0, 0, threading.Lock()

    def work(_):
        nonlocal running, most
        try:
            with site.gateway.admit("acme", EXTENSION, quotas, quotas):
                with lock:
                    running += 1
                    most = max(most, running)
                with lock:
                    running -= 1
        except OrielError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(work, range(400))) > 0
    assert 1 <= most <= 3


# daily quotas


def test_a_daily_quota_of_invocations_is_exact_across_gateways():
    site, quotas = Site(gateways=3), Quotas(daily_invocations=50)
    passed = 0
    for _ in range(30):
        passed += sum(site.passed(1, quotas, gateway=gateway) for gateway in site.gateways)
        site.wait(LEASE_SECONDS)
        for gateway in site.gateways:
            gateway.settle()
    assert passed == 50
    refused = site.call(quotas)
    assert (refused.code, refused.extra["left"]["daily_invocations"]) == ("quota_exceeded", 0)
    site.wait(refused.retry_after)
    assert site.call(quotas) is None


@pytest.mark.parametrize(
    ("limit", "used"),
    [
        ("daily_cpu_ms", {"cpu_ms": 30.0}),
        ("daily_memory_mb_ms", {"peak_memory_bytes": 3_000_000, "duration_ms": 10.0}),
        ("daily_egress_bytes", {"egress_bytes": 30}),
    ],
)
def test_a_daily_quota_of_what_was_used_stops_the_next_execution(site, limit, used):
    quotas = Quotas.read({limit: 100})
    assert site.passed(10, FREE, quotas, **used) == 4
    refused = site.call(FREE, quotas)
    assert (refused.code, refused.extra["limit"]) == ("quota_exceeded", limit)
    assert refused.extra["left"] == {limit: 0}
    site.wait(refused.retry_after)
    assert site.call(FREE, quotas) is None


def test_another_gateway_knows_what_was_used_within_one_lease():
    site, quotas = Site(gateways=2), Quotas(daily_cpu_ms=100)
    assert site.call(quotas, gateway=site.gateways[1]) is None
    assert site.call(quotas, cpu_ms=100.0) is None
    site.wait(LEASE_SECONDS)
    site.gateway.settle()
    assert site.call(quotas, gateway=site.gateways[1]).code == "quota_exceeded"


# what cannot be evaluated


def test_where_the_store_is_away_nothing_begins_and_it_is_not_hammered(site):
    site.leases.away = True
    assert {site.call().status for _ in range(100)} == {503}
    assert len(site.leases.asked) == 1
    site.leases.away = False
    site.wait(0.5)
    assert site.call() is None


def test_what_was_used_is_told_again_after_an_outage(site):
    quotas = Quotas(daily_cpu_ms=1_000)
    assert site.call(quotas, cpu_ms=7.0) is None
    site.leases.away = True
    site.wait(LEASE_SECONDS)
    assert site.call(quotas).status == 503
    site.leases.away = False
    site.wait(1)
    assert site.call(quotas) is None
    assert site.leases.meters["acme", ""].cpu_ms == 7.0


# through the gateway


def test_the_operators_quotas_hold_for_requests_and_the_answers_say_what_is_left(make_bench):
    bench = make_bench(resolution(tenant_quotas={"requests_per_second": 1, "burst": 2}))
    got = bench.call()
    assert got.status == 200
    assert got.header("ratelimit-policy") == '"tenant";q=2;w=2, "install";q=2000;w=2'
    assert got.header("ratelimit") == '"tenant";r=1;t=1, "install";r=1999;t=1'
    assert bench.call().status == 200
    refused = bench.call()
    assert (refused.status, refused.code, refused.header("retry-after")) == (429, "rate_limited", "1")
    assert len(bench.runner.asked) == 2


def test_what_is_refused_before_costs_no_tokens(make_bench):
    bench = make_bench(resolution(tenant_quotas={"requests_per_second": 1, "burst": 1}))
    for _ in range(5):
        assert bench.call(path="/unknown").code == "endpoint_not_found"
        assert bench.call("DELETE", "/notes", token=bearer("acme", "member")).code == "forbidden"
    assert bench.call().status == 200


def test_without_meters_the_gateway_is_closed(bench):
    bench.meters.away = True
    assert bench.call().code == "unavailable"
    assert not bench.runner.asked


def test_quotas_that_cannot_be_read_close_the_gateway(make_bench):
    bench = make_bench(resolution(install_quotas={"concurrent": "many"}))
    assert (bench.call().status, bench.call().code) == (503, "unavailable")
    assert not bench.runner.asked

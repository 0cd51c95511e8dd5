"""What observers see: executions, logs, the tail, series and bills, of their own tenant, and who looked."""

import csv
import io
import json
from contextlib import contextmanager

import httpx
import pytest
from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.ids import first_id
from oriel.pricing import load_prices
from oriel.store.records import Execution
from registry.app import create_app
from registry.observe import bill, series, tail
from registry.observe.stream import Streams
from tests.registry.stage import ADMIN, NAME, OPERATOR, OTHER_ADMIN, Stage
from tests.support.serving import Port

T0 = 1_795_000_000_000
PEOPLE = {
    "admin": ADMIN,
    "other": OTHER_ADMIN,
    "operator": OPERATOR,
    "developer": Principal(subject="dev", tenant_id="t1", roles=("developer",)),
    "member": Principal(subject="mia", tenant_id="t1", roles=("member",)),
}
PRICES = load_prices('{"currency": "EUR", "invocations_million": 0.2, "cpu_hour": "0.04", "egress_gb": 0.09}')
LOGS = (
    {"at_ms": 1.0, "level": "info", "message": "Order 7 came in", "fields": {"customer": "Ánna"}},
    {"at_ms": 2.5, "level": "error", "message": "no stock", "fields": {}},
)


class Clock:
    now = T0

    def __call__(self):
        return self.now


def execution(ms=0, tenant_id="t1", **fields):
    record = {
        "execution_id": first_id("exe", T0 + ms) + "0",
        "request_id": "req_1",
        "extension_id": NAME,
        "install_id": "ins_1",
        "version": "1.0.0",
        "content_hash": "sha256:aa",
        "trigger": "http",
        "method": "GET",
        "path": "/",
        "status": 200,
        "error_code": None,
        "started_at": T0 + ms,
        "receipt": {"duration_ms": 1.5, "cpu_ms": 36_000.0, "egress_bytes": 1_000_000},
    }
    return Execution(tenant_id=tenant_id, **(record | fields))


def authenticate(authorization):
    person = PEOPLE.get((authorization or "").removeprefix("Bearer "))
    if person is None:
        raise OrielError("unauthenticated")
    return person


class Observed:
    def __init__(self, stage, clock, http):
        self.stage, self.store, self.clock, self.http = stage, stage.store, clock, http

    def get(self, path, who="admin", **params):
        return self.http.get(f"/api/v1{path}", params=params, headers={"authorization": f"Bearer {who}"})

    def json(self, path, who="admin", **params):
        answer = self.get(path, who, **params)
        assert answer.is_success, answer.text
        return answer.json()

    def looks(self, tenant_id="t1"):
        return [(entry.actor, entry.target) for entry in reversed(self.store.list_audit(tenant_id).items)]


@contextmanager
def serving(folder, **fields):
    clock = Clock()
    stage = Stage(folder, now=clock, **fields)
    stage.store._clock = clock
    stage.remember()
    with Port().serve(create_app(stage.registry, authenticate)) as origin, httpx.Client(base_url=origin) as http:
        yield Observed(stage, clock, http)
    stage.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One application for all tests: building it takes longer than most of them."""
    with serving(tmp_path_factory.mktemp("observed"), prices=PRICES, streams=1) as observed:
        yield observed


@pytest.fixture
def observed(served):
    served.stage.reset()
    served.clock.now = T0
    return served


def ids(page):
    return [item["execution_id"] for item in page["items"]]


def test_executions_are_searched_and_paged_in_the_own_tenant_alone(observed):
    observed.store.record_executions(
        [execution(ms, request_id=f"req_{ms % 2}") for ms in range(4)] + [execution(9, tenant_id="t2")]
    )
    first = observed.json("/executions", request_id="req_1", limit=1)
    rest = observed.json("/executions", request_id="req_1", cursor=first["cursor"])
    assert ids(first) + ids(rest) == [execution(3).execution_id, execution(1).execution_id]
    assert observed.json(f"/executions/{execution(2).execution_id}")["receipt"]["duration_ms"] == 1.5
    assert observed.get(f"/executions/{execution(9).execution_id}").json()["code"] == "not_found"
    assert ids(observed.json("/executions", "other")) == [execution(9).execution_id]
    assert observed.get("/executions", cursor="!").json()["code"] == "malformed_request"
    assert observed.get("/executions", outcome="maybe").json()["code"] == "invalid_input"


def test_log_lines_are_searched_by_level_and_text(observed):
    observed.store.record_executions([execution(0, logs=LOGS), execution(10), execution(20, logs=LOGS[1:])])
    said = [(line["at"] - T0, line["message"]) for line in observed.json("/logs")["items"]]
    assert said == [(22.5, "no stock"), (1.0, "Order 7 came in"), (2.5, "no stock")]
    assert len(observed.json("/logs", level="warn")["items"]) == 2
    assert [line["level"] for line in observed.json("/logs", text="ÁNNA")["items"]] == ["info"]
    first = observed.json("/logs", limit=1)
    rest = observed.json("/logs", cursor=first["cursor"])
    assert (len(first["items"]), len(rest["items"])) == (1, 2)


@pytest.fixture
def unseen(tmp_path):
    """An application of its own, which has not seen anybody look."""
    with serving(tmp_path) as observed:
        yield observed


def test_who_looked_is_in_the_audit_once_for_each_thing(unseen):
    observed = unseen
    observed.store.record_executions([execution()])
    for _ in range(3):
        observed.get("/executions")
        observed.get("/logs", "developer", text="x")
    observed.get(f"/executions/{execution().execution_id}")
    expected = [("t1/ada", "executions"), ("t1/dev", "logs"), ("t1/ada", execution().execution_id)]
    assert observed.looks() == expected
    assert observed.looks("t2") == []
    observed.clock.now += 300_000
    observed.get("/executions")
    assert observed.looks() == [*expected, ("t1/ada", "executions")]
    assert observed.get("/executions", "member").json()["code"] == "forbidden"


def test_the_tail_gives_what_was_written_since_however_long_it_took(observed):
    store, clock = observed.store, observed.clock
    begun = observed.json("/executions/tail")
    assert (begun["items"], begun["more"]) == ([], False)
    clock.now += 60_000
    store.record_executions([execution(59_000)])
    clock.now += 20_000
    second = observed.json("/executions/tail", cursor=begun["cursor"])
    assert ids(second) == [execution(59_000).execution_id]
    clock.now += 60_000
    store.record_executions([execution(1_000)])  # began long before the other, and ended now
    clock.now += 20_000
    third = observed.json("/executions/tail", cursor=second["cursor"])
    assert ids(third) == [execution(1_000).execution_id]
    clock.now += 60_000
    assert observed.json("/executions/tail", cursor=third["cursor"])["items"] == []
    assert observed.get("/executions/tail", cursor=begun["cursor"][:-3]).json()["code"] == "malformed_request"


def test_a_long_tail_comes_in_pages_and_loses_nothing(observed):
    cursor = observed.json("/executions/tail")["cursor"]
    observed.store.record_executions([execution(ms) for ms in range(5)])
    seen, more = [], True
    while more:
        page = observed.json("/executions/tail", cursor=cursor, limit=2)
        seen += ids(page)
        cursor, more = page["cursor"], page["more"]
        observed.store.record_executions([execution(100 + len(seen))])
        if len(seen) > 20:
            break
    assert {execution(ms).execution_id for ms in range(5)} <= set(seen)
    late = ids(observed.json("/executions/tail", cursor=cursor))
    assert execution(100 + len(seen)).execution_id in late


def test_a_stream_sends_executions_and_the_cursor_to_go_on_with(observed):
    observed.store.record_executions([execution(ms, logs=LOGS) for ms in range(2)])
    headers = {"authorization": "Bearer admin"}
    with observed.http.stream("GET", "/api/v1/executions/stream", headers=headers, timeout=20) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = {}
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            told.setdefault(name, []).append(value)
            if name == "id":
                refused = observed.get("/executions/stream", "other")
                break
    executions = [json.loads(data)["execution_id"] for data in told["data"]]
    assert executions == [execution(0).execution_id, execution(1).execution_id]
    assert observed.json("/executions/tail", cursor=told["id"][0])["more"] is False
    assert refused.json()["code"] == "overloaded"


def test_a_server_without_streams_says_where_to_poll():
    with pytest.raises(OrielError, match="no streams") as refused:
        Streams(0).admit()
    assert "/executions/tail" in refused.value.hint


def test_usage_has_its_cost_as_json_and_as_csv(observed):
    observed.store.record_executions([execution(ms) for ms in range(10)] + [execution(0, tenant_id="t2")])
    days = {"since": "2026-11-18", "until": "2026-11-18"}
    usage = observed.json("/usage", **days)
    # 10 calls 0.000002, 0.1 hours of CPU 0.004, 10 MB 0.0009
    assert (usage["items"][0]["invocations"], usage["items"][0]["cost"], usage["total_cost"]) == (
        10,
        "0.004902",
        "0.004902",
    )
    (line,) = csv.DictReader(io.StringIO(observed.get("/usage.csv", **days).text))
    assert (line["tenant_id"], line["cost"], line["currency"]) == ("t1", "0.004902", "EUR")
    (summed,) = observed.store.list_usage("t1", **days)
    assert bill.row(replace(summed, duration_ms=0.1 + 0.2), None)["duration_ms"] == 0.3
    assert observed.get("/usage", since="x", until="y").json()["code"] == "invalid_input"


def test_an_operator_bills_every_tenant_and_nobody_else_does(observed):
    observed.store.record_executions([execution(), execution(1, tenant_id="=cmd()"), execution(86_400_000)])
    text = observed.get("/usage/tenants.csv", "operator", since="2026-11-18", until="2026-11-19").text
    rows = [(line["tenant_id"], line["window"]) for line in csv.DictReader(io.StringIO(text))]
    assert rows == [("'=cmd()", "2026-11-18"), ("t1", "2026-11-18"), ("t1", "2026-11-19")]
    first = observed.json("/usage/tenants", "operator", day="2026-11-18", limit=1)
    rest = observed.json("/usage/tenants", "operator", day="2026-11-18", cursor=first["cursor"])
    assert [item["tenant_id"] for item in first["items"] + rest["items"]] == ["=cmd()", "t1"]
    assert observed.get("/usage/tenants", "admin", day="2026-11-18").json()["code"] == "forbidden"
    over = observed.get("/usage/tenants.csv", "operator", since="2020-01-01", until="2026-11-19")
    assert over.json()["code"] == "invalid_input"


def test_without_prices_nothing_costs(tmp_path):
    with serving(tmp_path) as observed:
        observed.store.record_executions([execution()])
        usage = observed.json("/usage", since="2026-11-18", until="2026-11-18")
        assert (usage["items"][0]["cost"], usage["total_cost"], usage["currency"]) == (None, None, None)


def test_series_have_a_point_for_every_step(observed):
    minute = T0 // 60_000 * 60_000
    observed.store.record_executions(
        [
            execution(number, receipt={"duration_ms": 8.0 if number < 90 else 150.0, "cpu_ms": 2.0})
            for number in range(100)
        ]
    )
    observed.store.record_executions([execution(120_000, error_code="guest_trap", status=502)])
    found = observed.json("/usage/series", since=minute, until=minute + 240_000)["items"]
    assert [point["invocations"] for point in found] == [100, 0, 1, 0]
    first = found[0]
    assert (first["per_second"], first["cpu_ms"], first["failures"]) == (1.6667, 200.0, 0)
    assert 5 < first["p50_ms"] <= 10
    assert 100 < first["p95_ms"] <= 200
    assert (found[1]["p50_ms"], found[2]["failures"]) == (None, 1)
    for wrong in ({"step": 1_000}, {"until": minute + 3 * 86_400_000}, {"until": minute}):
        asked = {"since": minute, "until": minute + 60_000} | wrong
        assert observed.get("/usage/series", **asked).json()["code"] == "invalid_input"


def test_percentiles_lie_between_the_bounds_of_their_durations():
    counts = [0] * len(series.DURATION_BOUNDS_MS)
    assert series.percentile(counts, 0.5) is None
    counts[2] = 4  # over 2 ms, up to 5 ms
    assert series.percentile(counts, 0.5) == 3.5
    counts[-1] = 100
    assert series.percentile(counts, 0.99) == 30_000.0


def test_a_price_list_with_a_mistake_is_refused_by_name():
    with pytest.raises(OrielError) as refused:
        load_prices('{"cpu_hour": -1, "egress": 2}')
    assert "cpu_hour" in str(refused.value.diagnostics())
    assert "egress" in str(refused.value.diagnostics())


def test_a_tail_looks_back_as_far_as_an_execution_may_take():
    assert tail.BEGAN_MS >= 900_000 + tail.AGAIN_MS

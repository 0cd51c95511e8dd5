"""Concurrency, cost and limits of a deployment at 10 to 10,000 requests a second, from a request that is measured now.

Measured, in this run: the JavaScript guest's `GET /hello` through a gateway and a runner in this process, on counted
ports (as `ops` does): times, receipts, store units, bytes of the answer and of the metrics' lines. Then the model
(`benchmarks.load_model`) says what many of them do on AWS.

Checked, in this run: the same guest behind `oriel serve`. Its time alone is measured, the model predicts how many
requests are in flight at `CHECK_RPS` random arrivals a second, and that is measured too. One server does all of it, for
the model: the gateway there is one interpreter, as the client is here, and an interpreter does one thing at a time. On
a machine that cannot do so many, the rate is what keeps it three fifths busy.

Assumed, since nothing here can measure it: `INVOKE_MS` between the functions, one opening of a UI for every
`REQUESTS_AN_OPENING` requests, Lambda's and the API's own log lines, bursts and the hottest tenant's share. The time
of this machine's CPU stands for that of one of Lambda's. Cold starts and PostgreSQL are not in the model.
"""

import random
import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import mean, pvariance

import httpx

from benchmarks import guests, load_model
from benchmarks.deployment import LOOPBACK, Deployment, deployed, serving
from benchmarks.measure import Result
from benchmarks.ops import INVOKE_MS, Site, read_units, warm, write_units
from benchmarks.prices import IN_A_TRANSACTION
from oriel.metrics import emf
from oriel.store.records import Execution
from oriel.web_files import library_files

RATES = (10, 100, 1_000, 10_000)
ALONE = 200
CHECK_RPS, CHECK_SECONDS, BUSY, SERVERS = (20, 50), 20.0, 0.6, 1
REQUESTS_AN_OPENING = 10
PLATFORM_LOG_BYTES = 2 * 330 + 240  # START, END and REPORT of two functions, and the API's line
TEMPLATE = guests.ROOT / "template.yaml"


def run() -> Iterator[Result]:
    with deployed() as deployment:
        one = _measured(deployment)
        for name, value in one._asdict().items():
            yield Result(f"load.request.{name}", value, _unit(name))
        yield from _predicted(one)
        yield from _checked(deployment)


def _measured(deployment: Deployment) -> load_model.Request:
    with ExitStack() as opened:
        site = Site(deployment, opened, guests.JAVASCRIPT)
        for _ in range(ALONE):
            site.call()
        alone = [site.call() for _ in range(ALONE)]
        runner = site.way.milliseconds[-ALONE:]
        site.forget()
        requests = warm(site)
        executions = [entry for batch in site.store.written for entry in batch]
        units = sum(map(write_units, site.store.written))
        reads = site.store.calls["resolve"] * read_units(site.store.resolved) + site.store.leased
        guests_sent = mean(float(entry.receipt.get("egress_bytes", 0)) for entry in executions)
        library = [path for _, path in library_files("guest")]
        return load_model.Request(
            gateway_ms=mean(alone) - mean(runner),
            invoke_ms=INVOKE_MS,
            runner_ms=mean(runner),
            gateway_gb=_parameter("GatewayMemory") / 1_024,
            runner_gb=_parameter("RunnerMemory") / 1_024,
            read_units=reads / requests,
            write_units=(units + site.store.leased * IN_A_TRANSACTION) / requests,
            tenant_writes=IN_A_TRANSACTION * 1.0,
            log_bytes=PLATFORM_LOG_BYTES + _metrics_bytes(executions),
            egress_bytes=site.answered_bytes + guests_sent,
            ui_requests=len(library) / REQUESTS_AN_OPENING,
            ui_bytes=sum(path.stat().st_size for path in library) / REQUESTS_AN_OPENING,
        )


def _metrics_bytes(executions: Sequence[Execution]) -> float:
    """Of an execution that is written alone, as a function does after each answer."""
    some = executions[:100]
    return sum(len(line) + 1 for entry in some for line in emf.lines([entry], 0)) / len(some)


def _parameter(name: str) -> float:
    """The default of a parameter of the template."""
    found = re.search(rf"^  {name}:\n(?:    .*\n)*?    Default: (\d+)$", TEMPLATE.read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"template.yaml has no default of {name}")
    return float(found[1])


def _predicted(one: load_model.Request) -> Iterator[Result]:
    for rate in RATES:
        for function, seconds in (("gateway", one.gateway_seconds), ("runner", one.runner_seconds)):
            busy = load_model.concurrency(rate, seconds)
            yield Result(f"load.{rate}.{function}.concurrency", busy, "count")
            yield Result(f"load.{rate}.{function}.peak", load_model.peak(busy), "count")
        dollars = load_model.monthly(rate, one)
        for name, value in dollars.items():
            yield Result(f"load.{rate}.usd_month.{name}", value, "USD")
        yield Result(f"load.{rate}.usd_month", sum(dollars.values()), "USD")
        yield Result(
            f"load.{rate}.usd_per_million", sum(dollars.values()) / (rate * load_model.MONTH_SECONDS / 1e6), "USD"
        )
        for name, value in load_model.limits(rate, one):
            yield Result(f"load.{rate}.raise.{name}", value, "count")


def _checked(deployment: Deployment) -> Iterator[Result]:
    with serving(deployment.data_dir) as port:
        path = f"/api/ext/{deployment.published[guests.JAVASCRIPT].extension_id}/hello"
        clients = httpx.Limits(max_connections=200)
        with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", limits=clients, trust_env=False, timeout=60) as client:
            client.headers["authorization"] = f"Bearer {deployment.token()}"
            alone = [_timed(client, path) for _ in range(2 * ALONE)][ALONE:]
            yield Result("load.check.alone_ms", mean(alone) * 1_000, "ms")
            for rate in CHECK_RPS:
                yield from _compared(client, path, alone, rate)


def _compared(client: httpx.Client, path: str, alone: Sequence[float], wanted: int) -> Iterator[Result]:
    """What the model says of this rate, by how long requests take alone, and what is seen."""
    seconds = mean(alone)
    rate = min(wanted, BUSY * SERVERS / seconds)
    wait = load_model.waiting_seconds(rate, seconds, SERVERS, pvariance(alone) / seconds**2)
    predicted = load_model.concurrency(rate, seconds + wait)
    measured, most, arrived = _in_flight(client, path, rate)
    yield Result(f"load.check.{wanted}.rps", arrived, "1/s")
    yield Result(f"load.check.{wanted}.predicted_concurrency", predicted, "count")
    yield Result(f"load.check.{wanted}.measured_concurrency", measured, "count")
    yield Result(f"load.check.{wanted}.ratio", measured / predicted, "ratio")
    yield Result(f"load.check.{wanted}.measured_peak", most, "count")


def _timed(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"the platform answered {answer.status_code}: {answer.text[:200]}")
    return time.perf_counter() - began


def _in_flight(client: httpx.Client, path: str, rate: float) -> tuple[float, int, float]:
    """The mean and the greatest number of requests in flight, and the arrivals a second. Nobody waits for an answer."""
    arrivals, lock = random.Random(20261128), threading.Lock()
    now = most = 0
    area, changed = 0.0, time.perf_counter()

    def change(by: int) -> None:
        nonlocal now, most, area, changed
        with lock:
            at = time.perf_counter()
            area, changed = area + now * (at - changed), at
            now += by
            most = max(most, now)

    def one() -> None:
        change(1)
        try:
            _timed(client, path)
        finally:
            change(-1)

    began = due = time.perf_counter()
    with ThreadPoolExecutor(150) as callers:
        sent = []
        while (due := due + arrivals.expovariate(rate)) < began + CHECK_SECONDS:
            time.sleep(max(0.0, due - time.perf_counter()))
            sent.append(callers.submit(one))
        for answer in sent:
            answer.result()
        taken = time.perf_counter() - began
    return area / taken, most, len(sent) / taken


def _unit(name: str) -> str:
    units = {"ms": "ms", "gb": "GB", "bytes": "B"}
    return units.get(name.rpartition("_")[2], "count")

"""What one request costs: a fresh instance, in process and through HTTP, beside the stock binding and a peer.

Each comparison runs its sides in turns. A `vs_` figure is a ratio of medians, this side's time over the other's;
`rps` are requests a second on two cores. `docs/benchmarks.md` says what each figure is and what it does not say.
"""

import http.client
import random
from collections.abc import Iterator

from benchmarks import extism_plugin, guests, jco
from benchmarks.deployment import LOOPBACK, TEXT, Deployment, deployed, serving
from benchmarks.measure import Result, in_turns, median, percentile
from benchmarks.sides import Bare, Oriel
from benchmarks.workers import HELLO_BODY, rate, two_workers

KILOBYTE, MEGABYTE = 1_000, 1_000_000
LOAD_SECONDS, LOAD_ROUNDS = 1.0, 5
ROW = 11


def run() -> Iterator[Result]:
    with deployed() as deployment:
        runner = deployment.runner()
        try:
            oriel, bare = Oriel(deployment, runner), Bare(deployment)
            yield from _hello(oriel, bare)
            yield from _extism(oriel)
            yield from _bytes(oriel, bare)
            yield from _text(oriel)
            yield from _large(oriel)
        finally:
            runner.close()
        yield from _jco(deployment)
        yield from _http(deployment)
        yield from _load(deployment)


def _hello(oriel: Oriel, bare: Bare) -> Iterator[Result]:
    for name, guest in (("hello", guests.JAVASCRIPT), ("python_hello", guests.PYTHON)):
        request = oriel.deployment.request(guest)
        works = {"oriel": oriel.work(request, HELLO_BODY), "stock": bare.work(guest, request, HELLO_BODY)}
        taken = in_turns(works, rounds=40, in_a_row=ROW)
        ours, stock = taken["oriel"], taken["stock"]
        yield Result(f"execute.{name}.p50_ms", median(ours), "ms")
        yield Result(f"execute.{name}.p95_ms", percentile(ours, 95), "ms")
        yield Result(f"execute.{name}.stock_p50_ms", median(stock), "ms")
        yield Result(f"execute.{name}.vs_stock", median(ours) / median(stock), "ratio")


def _extism(oriel: Oriel) -> Iterator[Result]:
    hello = oriel.work(oriel.deployment.request(guests.PLAIN), guests.HELLO.encode())
    taken = in_turns({"oriel": hello, "extism": extism_plugin.work()}, rounds=50, in_a_row=ROW)
    ours, theirs = (1_000 / median(taken[side]) for side in ("oriel", "extism"))
    yield Result("execute.plain.rps", ours, "1/s")
    yield Result("execute.extism.rps", theirs, "1/s")
    yield Result("execute.extism.vs_oriel_rps", theirs / ours, "ratio")


def _jco(deployment: Deployment) -> Iterator[Result]:
    with jco.sides(deployment) as works:
        taken = in_turns(works, rounds=25, in_a_row=ROW)
    if taken:
        ours, theirs = (1_000 / median(taken[side]) for side in ("oriel", "jco"))
        yield Result("execute.standard_worker.rps", ours, "1/s")
        yield Result("execute.jco_serve.rps", theirs, "1/s")
        yield Result("execute.jco_serve.vs_oriel_rps", theirs / ours, "ratio")


def _bytes(oriel: Oriel, bare: Bare) -> Iterator[Result]:
    body = _random_bytes(100 * KILOBYTE)
    request = oriel.deployment.request(guests.JAVASCRIPT, "POST", "/bytes", body)
    works = {
        "oriel": oriel.work(request, body),
        "stock": bare.work(guests.JAVASCRIPT, request, body),
        "stock as base64": bare.work(guests.JAVASCRIPT, request, body, case="base64"),
    }
    taken = {side: median(times) for side, times in in_turns(works, rounds=15, warm_up=2).items()}
    yield Result("execute.echo_bytes_100k.p50_ms", taken["oriel"], "ms")
    yield Result("execute.echo_bytes_100k.stock_p50_ms", taken["stock"], "ms")
    yield Result("execute.echo_bytes_100k.vs_stock", taken["oriel"] / taken["stock"], "ratio")
    yield Result("execute.echo_bytes_100k.vs_stock_as_base64", taken["oriel"] / taken["stock as base64"], "ratio")


def _text(oriel: Oriel) -> Iterator[Result]:
    line = "A line of plain text, as a form or a document would send it.\n"
    text = (line * (60 * KILOBYTE // len(line) + 1))[: 60 * KILOBYTE].encode()
    works = {
        name: oriel.work(oriel.deployment.request(guests.JAVASCRIPT, "POST", "/text", body, TEXT), body)
        for name, body in (("full", text), ("empty", b""))
    }
    taken = in_turns(works, rounds=20, in_a_row=ROW)
    yield Result("execute.echo_text_60k.p50_ms", median(taken["full"]), "ms")
    yield Result("execute.echo_text_60k.vs_empty", median(taken["full"]) / median(taken["empty"]), "ratio")


def _large(oriel: Oriel) -> Iterator[Result]:
    """Binary bodies both ways, as base64; a list could carry 2.7 MB at most."""
    works = {}
    for name, size in (("body_1mb", MEGABYTE), ("body_5mb", 5 * MEGABYTE)):
        body = _random_bytes(size)
        works[name] = oriel.work(oriel.deployment.request(guests.JAVASCRIPT, "POST", "/bytes", body), body)
    for name, times in in_turns(works, rounds=7, warm_up=1).items():
        yield Result(f"execute.{name}_ms", median(times), "ms")


def _http(deployment: Deployment) -> Iterator[Result]:
    """Through the whole platform, one request after the other on one connection."""
    token, path = deployment.token(), f"/api/ext/{deployment.published[guests.JAVASCRIPT].extension_id}/hello"
    with serving(deployment.data_dir) as port:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)

        def work() -> None:
            connection.request("GET", path, headers={"authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            if answer.read() != HELLO_BODY:
                raise RuntimeError(f"the platform answers {answer.status}")

        times = in_turns({"http": work}, rounds=300, warm_up=30)["http"]
        connection.close()
    yield Result("execute.http.p50_ms", median(times), "ms")
    yield Result("execute.http.p95_ms", percentile(times, 95), "ms")


def _load(deployment: Deployment) -> Iterator[Result]:
    """Both sides in one worker, in two threads of one process, and in two processes."""
    rates: dict[tuple[str, str], list[float]] = {}
    with two_workers("oriel", deployment.data_dir) as oriel, two_workers("stock", deployment.data_dir) as stock:
        for _ in range(LOAD_ROUNDS):
            for side, pair in (("oriel", oriel), ("stock", stock)):
                for shape, workers, threads in (("one", pair[:1], 1), ("threads", pair[:1], 2), ("processes", pair, 1)):
                    rates.setdefault((side, shape), []).append(rate(workers, threads, LOAD_SECONDS))
    middle = {key: median(values) for key, values in rates.items()}
    best = {side: max(middle[side, "threads"], middle[side, "processes"]) for side in ("oriel", "stock")}
    yield Result("execute.one_worker.rps", middle["oriel", "one"], "1/s")
    yield Result("execute.one_worker.stock_rps", middle["stock", "one"], "1/s")
    yield Result("execute.two_threads.speedup", middle["oriel", "threads"] / middle["oriel", "one"], "ratio")
    yield Result("execute.two_processes.speedup", middle["oriel", "processes"] / middle["oriel", "one"], "ratio")
    yield Result("execute.rps", best["oriel"], "1/s")
    yield Result("execute.stock_rps", best["stock"], "1/s")
    yield Result("execute.rps.vs_stock", best["oriel"] / best["stock"], "ratio")


def _random_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)

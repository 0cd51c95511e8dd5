"""One runner, two tenants: a noisy one whose guests loop until their time is up, and a quiet one beside it.

The quiet tenant's requests are timed alone and beside the noisy one, in turns. It asks as a browser does: one request
after the other, with a pause between. The noisy one keeps as many requests waiting as its part of the queue takes.
The figure is the quiet tenant's 95th percentile beside the noisy one over that alone. It is of the machine's scheduler
too: measure on a machine that does nothing else.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Result, median, percentile
from oriel.contract import ExecuteRequest, ExecuteResponse, ExecutionContext, HttpRequest, Limits
from oriel.ids import new_id
from runner.core import Runner
from runner.pool import Share
from tests.guests import hostile
from tests.runner.small_platform import EXTENSION, Platform

THREADS = 4  # of a worker, by default
TURNS, REQUESTS = 10, 40
PAUSE_SECONDS = 0.005
LOOP_MS = 100
WAITING = 2 * THREADS


def run() -> Iterator[Result]:
    with _platform() as platform:
        runner = platform.runner(Share.of(THREADS))
        quiet = _request("quiet", platform.publish(hostile.HELLO))
        looping = _request("noisy", platform.publish(hostile.LOOP), timeout_ms=LOOP_MS)
        alone, beside = _in_turns(runner, quiet, looping)
    yield Result("fairness.alone_p95_ms", percentile(alone, 95), "ms")
    yield Result("fairness.quiet_p95_ms", percentile(beside, 95), "ms")
    yield Result("fairness.quiet_median_ratio", median(beside) / median(alone), "ratio")
    yield Result("fairness.quiet_p95_ratio", percentile(beside, 95) / percentile(alone, 95), "ratio")


def _in_turns(runner: Runner, quiet: ExecuteRequest, looping: ExecuteRequest) -> tuple[list[float], list[float]]:
    """Milliseconds of each quiet request: alone, and beside the noisy tenant."""
    _timed(runner, quiet)  # warms up
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(TURNS):
        alone += _timed(runner, quiet)
        with _noise(runner, looping):
            beside += _timed(runner, quiet)
    return alone, beside


def _timed(runner: Runner, request: ExecuteRequest) -> list[float]:
    taken = []
    for _ in range(REQUESTS):
        time.sleep(PAUSE_SECONDS)
        began = time.perf_counter()
        answer = runner.submit(request).result()
        taken.append((time.perf_counter() - began) * 1000)
        if answer.error is not None:
            raise RuntimeError(f"the quiet tenant got {answer.error.code}: {answer.error.message}")
    return taken


@contextmanager
def _noise(runner: Runner, looping: ExecuteRequest) -> Iterator[None]:
    """The noisy tenant at work: as soon as one of its requests ends, the next one waits."""
    over = threading.Event()
    running: list[Future[ExecuteResponse]] = []

    def keep_on(_ended: object = None) -> None:
        if not over.is_set():
            future = runner.submit(looping)
            running.append(future)
            future.add_done_callback(lambda _: threading.Thread(target=keep_on).start())

    for _ in range(WAITING):
        keep_on()
    time.sleep(LOOP_MS / 1000)
    try:
        yield
    finally:
        over.set()
        for future in running:
            future.result()


def _request(tenant: str, content_hash: str, timeout_ms: int = 10_000) -> ExecuteRequest:
    context = ExecutionContext(
        request_id=new_id("req"),
        execution_id=new_id("exe"),
        tenant_id=tenant,
        extension_id=EXTENSION,
        install_id=f"ins_{tenant}",
        version_id="ver_1",
        version="1.0.0",
        content_hash=content_hash,
    )
    return ExecuteRequest(
        context=context, http=HttpRequest(method="GET", path="/"), limits=Limits(timeout_ms=timeout_ms)
    )


@contextmanager
def _platform() -> Iterator[Platform]:
    with tempfile.TemporaryDirectory(prefix="oriel-fairness-") as folder:
        platform = Platform(Path(folder))
        try:
            yield platform
        finally:
            platform.close()

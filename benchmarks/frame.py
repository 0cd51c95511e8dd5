"""An extension's UI in a real browser: until it is painted, and what the bridge adds to a call.

The example product with the examples installed runs in processes of its own (`oriel demo`), and Chromium beside it.
A round trip goes UI → bridge → gateway → runner → UI; the same call made by the product's page itself, with the same
headers and the same reading of the answer, is the direct one. Both take turns, and both are timed inside the browser.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from benchmarks.measure import Result, median, percentile
from benchmarks.processes import environment
from oriel.build.tools import cache_dir
from oriel.local.servers import bind
from tests.support.browser import ARGUMENTS, INSTRUCTION

EXTENSION, CALL = "com.acme.pulse", "/board"
PAINTS, COLD_PAINTS, ROUNDS, WARM_UP = 30, 8, 400, 40
START_SECONDS = 600.0  # the first run builds the examples

SHOW = """async (extension) => {
  document.querySelectorAll('oriel-extension').forEach((old) => old.remove());
  const element = document.createElement('oriel-extension');
  element.setAttribute('extension', extension);
  const ready = new Promise((resolve) => element.addEventListener('oriel-ready', resolve, { once: true }));
  window.began = performance.timeOrigin + performance.now();
  document.querySelector('#place').append(element);
  await ready;
  return window.began;
}"""
PAINTED = """() => new Promise((resolve) => {
  const tell = (list) => {
    const entry = list.getEntriesByName('first-contentful-paint')[0];
    if (entry) resolve(performance.timeOrigin + entry.startTime);
  };
  new PerformanceObserver(tell).observe({ type: 'paint', buffered: true });
})"""
BRIDGED = """async (path) => {
  const { oriel } = await import('/oriel/guest.js');
  const began = performance.now();
  const answer = await oriel.fetch(path);
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the handler answered ${answer.status}`);
  return performance.now() - began;
}"""
DIRECT = """async ([extension, path]) => {
  const { getToken } = await import('/static/session.js');
  const began = performance.now();
  const headers = { authorization: `Bearer ${await getToken()}` };
  const answer = await fetch(`/api/ext/${extension}${path}`, { headers, credentials: 'omit', cache: 'no-store' });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the handler answered ${answer.status}`);
  return performance.now() - began;
}"""


def run() -> Iterator[Result]:
    with _product() as origin, sync_playwright() as playwright:
        path = os.environ.get("ORIEL_CHROMIUM") or shutil.which("chromium")
        if not path:
            raise RuntimeError(INSTRUCTION)
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield from _measured(browser, origin)
        finally:
            browser.close()


def _measured(browser: Browser, origin: str) -> Iterator[Result]:
    cold = [_paint(_signed_in(browser, origin)) for _ in range(COLD_PAINTS)]
    page = _signed_in(browser, origin)
    _paint(page)
    warm = [_paint(page) for _ in range(PAINTS)]
    yield Result("frame.first_paint_ms", median(warm), "ms")
    yield Result("frame.first_paint_p95_ms", percentile(warm, 95), "ms")
    yield Result("frame.first_paint_cold_ms", median(cold), "ms")
    bridged, direct = _calls(page, _frame(page))
    yield Result("frame.round_trip_p50_ms", median(bridged), "ms")
    yield Result("frame.round_trip_p95_ms", percentile(bridged, 95), "ms")
    yield Result("frame.direct_p50_ms", median(direct), "ms")
    yield Result("frame.bridge_added_p50_ms", median(bridged) - median(direct), "ms")


def _paint(page: Page) -> float:
    """Milliseconds from the element's insertion to the frame's first contentful paint."""
    began = page.evaluate(SHOW, EXTENSION)
    return float(_frame(page).evaluate(PAINTED) - began)


def _calls(page: Page, frame: Frame) -> tuple[list[float], list[float]]:
    """Milliseconds of calls through the bridge and of direct ones, in turns, the order changing."""
    works: list[tuple[list[float], Callable[[], float]]] = [
        ([], lambda: frame.evaluate(BRIDGED, CALL)),
        ([], lambda: page.evaluate(DIRECT, [EXTENSION, CALL])),
    ]
    for round_ in range(WARM_UP + ROUNDS):
        for taken, work in works if round_ % 2 else reversed(works):
            spent = float(work())
            if round_ >= WARM_UP:
                taken.append(spent)
    return works[0][0], works[1][0]


def _signed_in(browser: Browser, origin: str) -> Page:
    """The product's page in a browser profile of its own: nothing is in its cache."""
    page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
    page.goto(origin)
    page.click("text=Ada Lindqvist")
    page.wait_for_selector("text=Latest orders")
    return page


def _frame(page: Page) -> Frame:
    found = page.locator("oriel-extension iframe").element_handle().content_frame()
    if found is None:
        raise RuntimeError("the extension has no frame")
    return found


@contextmanager
def _product() -> Iterator[str]:
    """`oriel demo`, with its data kept between runs; the origin of the product."""
    home = cache_dir() / "benchmarks" / "frame"
    home.mkdir(parents=True, exist_ok=True)
    port, ui_port = _free_port(), _free_port()
    log = home / "demo.log"
    command = [sys.executable, "-m", "oriel", "demo", "--data-dir", str(home / "data")]
    command += ["--port", str(port), "--ui-port", str(ui_port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment())
    try:
        _await_up(process, log)
        origin = f"http://127.0.0.1:{port}"
        httpx.get(origin, trust_env=False).raise_for_status()
        yield origin
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await_up(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Oriel is up" not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"'oriel demo' did not come up:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def _free_port() -> int:
    listener = bind("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    listener.close()
    return port

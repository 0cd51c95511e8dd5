"""`jco serve`, a peer: the same standard component over HTTP, a fresh instance for every request on both sides.

The component is text that answers `hello` through `wasi:http/incoming-handler` (`benchmarks.guests.STANDARD`). jco runs
it in Node.js with `--isolate-requests instance`: without that it would serve all requests from one instance. Oriel's
side is one worker process, asked as the gateway asks it: each request carries a service token, and the answer a
receipt. Both are asked one request after the other, on a connection that is kept open.

jco is pinned by the lock in `jco_server` and installed once into the cache. Where there is no Node.js, nothing is
measured.
"""

import hashlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import guests
from benchmarks.deployment import LOOPBACK, Deployment, free_ports
from benchmarks.processes import environment
from benchmarks.sides import Work, over_http, worker_over_http
from oriel.build.toolchain import find_node, install_packages
from oriel.build.tools import cache_dir
from oriel.errors import OrielError

HERE = Path(__file__).parent / "jco_server"
FILES = ("package.json", "package-lock.json")
COMMAND = Path("node_modules/@bytecodealliance/jco/dist/jco.js")
START_SECONDS = 60.0
HELLO = guests.HELLO.encode()


@contextmanager
def sides(deployment: Deployment) -> Iterator[dict[str, Work]]:
    """What asks each side once, in turns to be measured; empty without Node.js."""
    try:
        node = find_node()
    except OrielError as error:
        print(f"jco serve is not measured: {error.detail}", file=sys.stderr)
        yield {}
        return
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    home = cache_dir() / "benchmarks" / f"jco-{digest}"
    if not home.is_dir():
        install_packages(home, HERE, FILES, node, "npm could not install jco")
    component = str(deployment.component_path(guests.STANDARD))
    jco_port, worker_port = free_ports(2)
    jco = [node.node, str(home / COMMAND), "serve", component, "--host", LOOPBACK, "--port", str(jco_port)]
    worker = [sys.executable, "-m", "runner", "--host", LOOPBACK, "--port", str(worker_port)]
    with (
        _running([*jco, "--isolate-requests", "instance"], jco_port, environment()),
        _running(worker, worker_port, environment(**deployment.settings().environment())),
    ):
        yield {"jco": _asks_jco(jco_port), "oriel": worker_over_http(worker_port, deployment, guests.STANDARD, HELLO)}


def _asks_jco(port: int) -> Work:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)

    def work() -> None:
        status, body = over_http(connection, "GET", "/hello", b"", {})
        if body != HELLO:
            raise RuntimeError(f"jco answers {status}")

    return work


@contextmanager
def _running(command: Sequence[str], port: int, variables: Mapping[str, str]) -> Iterator[None]:
    """A server process while inside the `with`, once it listens; what it has started itself ends with it."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, env=variables, start_new_session=True) as process:
        try:
            _wait_for(process, port)
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            connection.close()
            return
    raise RuntimeError(f"{process.args!r} does not serve")

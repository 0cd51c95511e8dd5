"""A fresh process to its first answer, with the artifact unpacked on this machine's disk.

Two processes are measured, each from the start of the interpreter, seen from outside. The first is made like a Lambda
function's (`benchmarks.first_answer`): imports, engine and linker, the artifact hashed and mapped, an instance, the
answer. The second is a worker (`python -m runner`), which also begins to serve HTTP, is asked over it, and checks the
caller's token.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import guests
from benchmarks.deployment import LOOPBACK, Deployment, deployed, free_ports
from benchmarks.first_answer import REQUEST
from benchmarks.measure import Result, median
from benchmarks.processes import environment
from benchmarks.sides import worker_over_http
from benchmarks.workers import HELLO_BODY

RUNS, WARM_UP = 21, 2
FIRST_ANSWER = "first_answer_ms"
ANSWER_SECONDS = 60.0


def run() -> Iterator[Result]:
    with deployed() as deployment:
        request = deployment.request(guests.JAVASCRIPT)
        (deployment.data_dir / REQUEST).write_bytes(request.to_json())
        runs, workers = [], []
        for _ in range(WARM_UP + RUNS):
            runs.append(_measured(deployment.data_dir))
            workers.append(_worker(deployment))
    for name in (FIRST_ANSWER, "import_ms", "assemble_ms", "execute_ms"):
        yield Result(f"cold.{name}", median([entry[name] for entry in runs[WARM_UP:]]), "ms")
    yield Result("cold.modules", runs[-1]["modules"], "count")
    yield Result("cold.worker_first_answer_ms", median(workers[WARM_UP:]), "ms")


def _measured(data_dir: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.first_answer", str(data_dir)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=guests.ROOT, env=environment()) as process:
        line = process.stdout.readline() if process.stdout is not None else ""
        answered = (time.perf_counter() - began) * 1000
    if not line:
        raise RuntimeError("the process ended without an answer")
    parts: dict[str, float] = json.loads(line)
    return {**parts, FIRST_ANSWER: answered}


def _worker(deployment: Deployment) -> float:
    """Milliseconds from the start of a worker until it has answered a request."""
    (port,) = free_ports(1)
    ask = worker_over_http(port, deployment, guests.JAVASCRIPT, HELLO_BODY)
    command = [sys.executable, "-m", "runner", "--host", LOOPBACK, "--port", str(port)]
    variables = environment(**deployment.settings().environment())
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=guests.ROOT, env=variables) as process:
        try:
            while not _listens(port):
                if process.poll() is not None or time.perf_counter() - began > ANSWER_SECONDS:
                    raise RuntimeError("the worker does not serve")
                time.sleep(0.002)
            ask()
            return (time.perf_counter() - began) * 1000
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True

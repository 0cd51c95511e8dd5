"""A fresh process to its first answer, with the artifact unpacked on this machine's disk.

The process is made like a worker (`benchmarks.first_answer`): imports, engine and linker, the artifact hashed and
mapped, an instance, the answer. The time runs from the start of the interpreter, seen from outside.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import guests
from benchmarks.deployment import deployed
from benchmarks.first_answer import REQUEST
from benchmarks.measure import Result, median
from benchmarks.processes import environment

RUNS, WARM_UP = 21, 2
FIRST_ANSWER = "first_answer_ms"


def run() -> Iterator[Result]:
    with deployed() as deployment:
        request = deployment.request(guests.JAVASCRIPT)
        (deployment.data_dir / REQUEST).write_bytes(request.to_json())
        runs = [_measured(deployment.data_dir) for _ in range(WARM_UP + RUNS)][WARM_UP:]
    for name in (FIRST_ANSWER, "import_ms", "assemble_ms", "execute_ms"):
        yield Result(f"cold.{name}", median([entry[name] for entry in runs]), "ms")
    yield Result("cold.modules", runs[-1]["modules"], "count")


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

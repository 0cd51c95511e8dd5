"""Twenty thousand executions in one process, good and hostile in turns: what is left of them.

Every guest of `tests/runner/hostile` is called again and again, each time followed by a good one, by as many callers as
the runner has threads. Those that take long or a hundred megabytes come seldom. Each answer is judged. What is printed:
resident memory at the end over that after the first tenth, and the threads and descriptors that were not there then.
"""

import base64
import gc
import os
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.measure import Result
from oriel.contract import ExecuteRequest
from runner.core import Runner
from runner.pool import Share
from tests.guests import hostile
from tests.runner.hostile.cases import ALL, LONG, PATIENT, Case, answers, verdict
from tests.runner.small_platform import EXTENSION, Platform

EXECUTIONS, THREADS = 20_000, 2
LONG_EVERY = 25  # rounds
EVERYTHING = ("storage.kv", "user.read", "secrets.get", "http.fetch")
BODY = b"a good request"
GOOD = answers(200, hostile.ECHO, lambda answer: answer.body() == BODY)


@dataclass(frozen=True, slots=True)
class State:
    """What a process holds: bytes of resident memory, threads, open descriptors.

    Descriptors of cached artifacts are not counted: each lane keeps one for a component from its first run there on.
    """

    resident: int
    threads: int
    descriptors: int

    @classmethod
    def now(cls, cache: Path) -> "State":
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(pages * os.sysconf("SC_PAGE_SIZE"), threading.active_count(), _descriptors(cache))


def _descriptors(cache: Path) -> int:
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the listing itself
            found += not str(descriptor.readlink()).startswith(str(cache))
    return found


Execution = tuple[Case, ExecuteRequest]


def run() -> Iterator[Result]:
    executions, before, after = soak(EXECUTIONS)
    yield Result("soak.executions", executions, "count")
    yield Result("soak.rss_mb", after.resident / 1_000_000, "MB")
    yield Result("soak.rss_growth_ratio", after.resident / before.resident, "ratio")
    yield Result("soak.threads", after.threads - before.threads, "count")
    yield Result("soak.fds", after.descriptors - before.descriptors, "count")


def soak(executions: int) -> tuple[int, State, State]:
    """Run at least that many; how many it were, and the process after the first tenth of them and at the end.

    Raises:
        RuntimeError: a guest came to another end than it must.
    """
    with tempfile.TemporaryDirectory(prefix="oriel-soak-") as folder, ThreadPoolExecutor(THREADS) as callers:
        platform = Platform(Path(folder))
        try:
            runner = platform.runner(Share.of(THREADS))
            rounds = _rounds(platform)
            done = _run(runner, callers, rounds, executions // 10)
            before = State.now(platform.cache)
            done += _run(runner, callers, rounds, executions - done)
            return done, before, State.now(platform.cache)
        finally:
            platform.close()


def _rounds(platform: Platform) -> Iterator[list[Execution]]:
    """Each guest once and a good one behind it, for ever; the long ones in the first round and then seldom."""
    hashes = {name: platform.publish(case.wasm) for name, case in ALL.items()}
    good = (GOOD, _request(platform.publish(GOOD.wasm), GOOD))
    bad = {name: (case, _request(hashes[name], case)) for name, case in ALL.items()}
    for number in count():
        names = ALL.keys() - LONG if number % LONG_EVERY else ALL.keys()
        yield [execution for name in sorted(names) for execution in (bad[name], good)]


def _run(runner: Runner, callers: ThreadPoolExecutor, rounds: Iterator[list[Execution]], executions: int) -> int:
    done = 0
    while done < executions:
        done += sum(callers.map(lambda execution: _judged(runner, *execution), next(rounds)))
    return done


def _judged(runner: Runner, case: Case, request: ExecuteRequest) -> int:
    wrong = verdict(case, runner.execute(request))
    if wrong is not None:
        raise RuntimeError(wrong)
    return 1


def _request(content_hash: str, case: Case) -> ExecuteRequest:
    context = {
        "request_id": "req_soak",
        "execution_id": "exe_soak",
        "tenant_id": "acme",
        "extension_id": EXTENSION,
        "install_id": "ins_soak",
        "version_id": "ver_soak",
        "version": "1.0.0",
        "content_hash": content_hash,
        **case.changes.get("context", {}),
    }
    body = {"headers": [["content-type", "text/plain"]], "body_b64": base64.b64encode(BODY).decode()}
    limits = {**PATIENT, **case.changes.get("limits", {})}
    request = {"providers": EVERYTHING, **case.changes, "context": context, "limits": limits}
    return ExecuteRequest.convert({**request, "http": {"method": "POST", "path": "/", **body}})

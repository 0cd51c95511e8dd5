"""What a runner imports before its first answer: each thing here is waited for by a cold start.

Modules are counted, not milliseconds: the figures are in `docs/benchmarks.md` (`cold`).
"""

import subprocess
import sys

import pytest

# About 70 modules of Oriel's own, the engine's binding, the parts of cryptography that an Ed25519 key needs, and the
# standard library's. What goes over should be imported when it is used.
RUNNER = ("runner.assembly", 340)
# With what serves HTTP: asyncio, Starlette, uvicorn, and click, which uvicorn imports.
WORKER = ("runner.__main__", 450)

TOO_HEAVY_FOR_BOTH = {
    "boto3": "only where the blobs or the store are in AWS, by those adapters",
    "botocore": "only where the blobs or the store are in AWS, by those adapters",
    "cryptography.x509": "certificates are for publishers; the platform's own keys have none",
    "fastapi": "the runner has two routes",
    "httpx": "egress speaks h11 itself",
    "jwt": "the platform's own tokens have one algorithm",
    "oriel.store.records": "the runner has the guests' records, and nothing else of the store",
    "pydantic": "what crosses between processes is msgspec's",
    "rich": "a worker is no command line",
    "runner.alga.table": "most processes run no component of alga:extension",
    "runner.egress.client": "most processes send no request for a guest",
    "runner.product": "most processes call no host product",
    "runner.wasi": "most processes run no standard component",
    "sqlalchemy": "the store is opened when a guest first uses it",
    "typer": "a worker is no command line",
}
TOO_HEAVY_FOR_A_RUNNER = {
    "asyncio": "a Lambda function is called, and has no event loop",
    "h11": "loaded with the first request of a guest",
    "http.client": "nothing here speaks HTTP",
    "ssl": "loaded with the first request of a guest",
    "starlette": "a Lambda function serves no HTTP",
    "tempfile": "with shutil and three compressions; one file is made, by a name of its own",
    "uvicorn": "a Lambda function serves no HTTP",
}


def imported_by(module):
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def runner():
    return imported_by(RUNNER[0])


@pytest.fixture(scope="module")
def worker():
    return imported_by(WORKER[0])


def test_a_runner_imports_no_more_than_its_budget(runner):
    assert len(runner) <= RUNNER[1]


def test_a_worker_imports_no_more_than_its_budget(worker):
    assert len(worker) <= WORKER[1]


@pytest.mark.parametrize("name", TOO_HEAVY_FOR_BOTH)
def test_a_runner_and_a_worker_start_without(runner, worker, name):
    assert name not in runner | worker, TOO_HEAVY_FOR_BOTH[name]


@pytest.mark.parametrize("name", TOO_HEAVY_FOR_A_RUNNER)
def test_a_runner_starts_without(runner, name):
    assert name not in runner, TOO_HEAVY_FOR_A_RUNNER[name]

"""What a worker imports before it serves: each thing here is waited for whenever a worker dies."""

import subprocess
import sys

import pytest

# What serves HTTP and what the runner is made of: about 100 modules of Oriel's own, the engine's binding, pydantic,
# cryptography, asyncio, Starlette, uvicorn make 612. What goes over should be imported when it is used.
MOST_MODULES = 650

TOO_HEAVY = {
    "fastapi": "the runner has two routes",
    "sqlalchemy": "the store is opened when a guest first uses it",
    "boto3": "only where the blobs or the store are in AWS, by those adapters",
    "httpx": "egress speaks h11 itself",
    "typer": "a worker is no command line",
    "rich": "a worker is no command line",
    "runner.wasi": "most processes run no standard component",
    "runner.alga.table": "most processes run no component of alga:extension",
}


@pytest.fixture(scope="module")
def imported():
    code = "import sys, runner.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_worker_imports_no_more_than_its_budget(imported):
    assert len(imported) <= MOST_MODULES


@pytest.mark.parametrize("name", TOO_HEAVY)
def test_a_worker_starts_without(imported, name):
    assert name not in imported, TOO_HEAVY[name]

"""A sandbox with the standard interfaces, executions in it, and servers to reach."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from oriel.contract import HttpRequest
from oriel.errors import OrielError
from runner import exchange
from runner.assembly import standard
from runner.egress.client import Egress
from runner.execution import Execution, Services
from runner.host import console
from runner.host.table import host_functions
from runner.sandbox import RunLimits, Sandbox
from tests.guests.build import artifact
from tests.guests.standard import answering
from tests.runner.egress.servers import LOOPBACK, Names, Server

MEGABYTE = 1 << 20


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(host_functions(), standard=standard)
    yield made
    made.close()


@pytest.fixture
def run(sandbox, make_execution, tmp_path) -> Callable[..., SimpleNamespace]:
    """Run a guest as the runner would: the answer or the failure, and the execution."""

    def run(wasm: bytes, services: Services | None = None, *, native: Any = None, **changes: Any) -> SimpleNamespace:
        execution: Execution = make_execution(services, **changes)
        loaded = sandbox.load(native or artifact(wasm, tmp_path))
        limits = execution.budgets.limits
        bounds = RunLimits(limits.timeout_ms / 1000, 64 * MEGABYTE, max_result_bytes=exchange.largest_result(limits))
        answer = failure = None
        try:
            result = sandbox.run(loaded, _request(changes), state=execution, limits=bounds)
            came = exchange.from_guest(result.value, limits)
            body = came.body["body_text"].encode() or came.body["body_bytes"]
            answer = SimpleNamespace(status=came.status, headers=came.headers, body=body)
        except OrielError as error:
            failure = error
        console.finish(execution)
        return SimpleNamespace(answer=answer, failure=failure, execution=execution, used=execution.budgets)

    return run


def _request(changes: dict[str, Any]) -> dict[str, Any]:
    http = HttpRequest.convert({"method": "GET", "path": "/", **changes.get("http", {})})
    return dict(exchange.to_guest(http))


@pytest.fixture
def failure(run) -> Callable[..., OrielError]:
    """Run a guest that must fail; afterwards the same sandbox serves a good one."""

    def failure(wasm: bytes, **changes: Any) -> OrielError:
        found = run(wasm, **changes)
        assert found.failure is not None, found.answer
        assert run(answering()).answer.body == b"hello"
        return found.failure

    return failure


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(answer: Any) -> Server:
        servers.append(Server(answer if callable(answer) else lambda _: answer))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def egress() -> Iterator[Egress]:
    names = Names()
    names.set("good.test", [LOOPBACK])
    client = Egress(allow_networks=("127.0.0.0/8",), resolver=names)
    yield client
    client.close()

"""One runner, in one process, for all hostile guests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oriel.contract import ExecuteResponse
from runner.core import Runner
from runner.egress.client import Egress
from tests.guests import hostile
from tests.runner.egress.servers import LOOPBACK, Names
from tests.runner.hostile.cases import PATIENT
from tests.runner.small_platform import Platform

HOST = "good.test"
EVERYTHING = ("storage.kv", "user.read", "secrets.get", "http.fetch")


@pytest.fixture(scope="package")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(tmp_path_factory.mktemp("victims"))
    yield made
    made.close()


@pytest.fixture(scope="package")
def runner(victims: Platform) -> Iterator[Runner]:
    names = Names()
    names.set(HOST, [LOOPBACK])
    egress = Egress(allow_networks=("127.0.0.0/8",), resolver=names)
    yield victims.runner(egress=egress)
    egress.close()


@pytest.fixture
def execute(runner: Runner, victims: Platform, make_request: Callable[..., Any]) -> Callable[..., ExecuteResponse]:
    """Execute a guest once; afterwards the same runner must serve a good request."""

    def once(wasm: bytes, **changes: Any) -> ExecuteResponse:
        context = {"content_hash": victims.publish(wasm), **changes.pop("context", {})}
        changes.setdefault("providers", EVERYTHING)
        changes["limits"] = {**PATIENT, **changes.get("limits", {})}
        return runner.execute(make_request(context=context, **changes))

    def execute(wasm: bytes, **changes: Any) -> ExecuteResponse:
        answer = once(wasm, **changes)
        assert once(hostile.HELLO).body() == b"hello"
        return answer

    return execute

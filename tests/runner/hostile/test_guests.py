"""Every hostile guest that runs comes to its end, and the same process then serves a good request (`execute`)."""

import threading

import pytest

from tests.guests import hostile
from tests.runner.egress.servers import Server
from tests.runner.hostile.cases import ALL, verdict
from tests.runner.hostile.conftest import HOST


@pytest.mark.parametrize("case", ALL.values(), ids=ALL.keys())
def test_a_hostile_guest_harms_its_own_request_alone(execute, case):
    assert verdict(case, execute(case.wasm, **case.changes)) is None


@pytest.fixture
def silent():
    """A server that takes a request and never answers."""
    over = threading.Event()
    server = Server(lambda _: over.wait(30) and None)
    yield server
    over.set()
    server.stop()


def test_a_host_that_never_answers_is_waited_for_until_the_deadline(execute, silent):
    origin = f"http://{HOST}:{silent.port}"
    answer = execute(hostile.fetches(f"{origin}/"), egress=[origin], limits={"timeout_ms": 200})
    assert (answer.error and answer.error.code) == "deadline_exceeded"
    assert answer.receipt.duration_ms >= 200
    assert len(silent.requests) == 1

"""A standard component's `fetch()`, kept whole and run again with no server there: the same comes out."""

import base64
import json

import pytest
from msgspec.structs import replace

from oriel.sealing import Sealer
from oriel.store import open_store
from runner.core import Runner
from runner.execution import Services
from runner.replaying import Replayer
from tests.runner.alga.conftest import OneKey
from tests.runner.egress.servers import http
from tests.runner.recorded import opened
from tests.runner.small_platform import digest
from tests.support.examples import EXAMPLES, built

SEALER, FETCH = Sealer(OneKey()), "wasi:http/outgoing-handler.handle"


@pytest.fixture
def beacon(platform, egress, make_request):
    """The board of a tenant that watches one server: the answer, and the fixture of it."""
    made = built(EXAMPLES / "beacon")
    content_hash = platform.store(digest(made.component), made.native, handler="wasi-http")
    plain, store = platform.runner(), open_store(platform.store_url)
    services = Services(store=store, egress=egress, opener=SEALER, sealer=SEALER)
    runner = Runner(plain._sandbox, plain._components, services, share=plain._pool._share)

    def ask(server):
        origin = f"http://good.test:{server.port}"
        services = json.dumps([{"name": "Orders", "url": f"{origin}/orders"}])
        request = make_request(
            context={"content_hash": content_hash, "config": {"services": services}},
            http={"path": "/board"},
            providers=["http.fetch", "storage.kv"],
            egress=[origin],
            record="always",
        )
        response = runner.execute(request)
        return response, opened(SEALER, response, request.context)

    yield ask
    store.close()


@pytest.fixture
def replayer(tmp_path):
    artifact = tmp_path / "beacon.cwasm"
    artifact.write_bytes(built(EXAMPLES / "beacon").native)
    made = Replayer(artifact)
    yield made
    made.close()


def states(outcome):
    body = outcome.body() if hasattr(outcome, "body") else base64.b64decode(outcome.body_b64)
    return [(service["state"], service["status"]) for service in json.loads(body)["services"]]


@pytest.mark.parametrize(("status", "state"), [("200 OK", ("up", 200)), ("503 No", ("down", 503))])
def test_a_fetch_is_answered_from_the_fixture(beacon, serve, replayer, status, state):
    server = serve(http(b"fine", status=status))
    response, fixture = beacon(server)
    assert states(response) == [state]
    asked = len(server.requests)
    again = replayer.run(fixture)
    assert again.difference is None, again.difference
    assert states(again.outcome) == [state]
    assert len(server.requests) == asked
    assert FETCH in {call.name for call in fixture.calls}


def test_a_fetch_of_something_else_is_the_first_difference(beacon, serve, replayer):
    server = serve(http(b"fine"))
    _, fixture = beacon(server)
    calls = tuple(
        replace(call, arguments=["GET", f"{call.arguments[1]}?b", *call.arguments[2:]]) if call.name == FETCH else call
        for call in fixture.calls
    )
    found = replayer.run(replace(fixture, calls=calls)).difference
    assert (found.what, found.recorded.name) == ("the arguments of a host call", FETCH)
    assert found.recorded.arguments[1] == f"{found.replayed.arguments[1]}?b"

"""JavaScript's own `fetch()` in a standard component, to a real server: `examples/beacon`."""

import json

import pytest

from oriel.store import open_store
from runner.execution import Services
from tests.runner.egress.servers import http
from tests.support.examples import EXAMPLES, built


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    path = tmp_path_factory.mktemp("beacon") / "beacon.cwasm"
    path.write_bytes(built(EXAMPLES / "beacon").native)
    return path


@pytest.fixture
def board(run, native, egress, tmp_path):
    """The board of a tenant that watches one server."""
    store = open_store(f"sqlite:{tmp_path / 'oriel.db'}")

    def ask(server, **changes):
        origin = f"http://good.test:{server.port}"
        services = json.dumps([{"name": "Orders", "url": f"{origin}/orders?a=1"}])
        changes = {"providers": ["http.fetch", "storage.kv"], "egress": [origin], **changes}
        found = run(
            b"",
            Services(store=store, egress=egress),
            native=native,
            context={"config": {"services": services}},
            http={"path": "/board"},
            **changes,
        )
        assert found.failure is None, found.failure
        return json.loads(found.answer.body)["services"][0], found

    yield ask
    store.close()


def test_fetch_reaches_a_granted_host(board, serve):
    server = serve(http(b"fine"))
    service, found = board(server)
    assert (service["state"], service["status"]) == ("up", 200)
    assert server.requests[0].startswith(b"GET /orders?a=1 HTTP/1.1\r\nhost: good.test")
    assert found.used.egress_bytes > 0


def test_fetch_tells_a_servers_own_failure(board, serve):
    service, _ = board(serve(http(b"no", status="503 Service Unavailable")))
    assert (service["state"], service["status"]) == ("down", 503)


def test_a_large_answer_arrives_whole(board, serve):
    service, found = board(serve(http(b"x" * 500_000)))
    assert service["state"] == "up"
    assert found.used.egress_bytes > 500_000


def test_fetch_without_the_grant_reaches_nobody(board, serve):
    server = serve(http(b"never"))
    service, found = board(server, providers=["storage.kv"])
    assert (service["state"], server.connections, found.used.denied_calls) == ("unreachable", 0, 1)


def test_fetch_to_another_host_reaches_nobody(board, serve):
    server = serve(http(b"never"))
    service, _ = board(server, egress=["https://status.acme.example"])
    assert (service["state"], server.connections) == ("unreachable", 0)

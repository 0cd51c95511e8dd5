"""`http.fetch` of `alga:extension`, through the screened client to a real server."""

import pytest

from runner.alga import basics
from runner.egress.client import Egress
from runner.execution import Services
from tests.runner.egress.servers import LOOPBACK, Names, Server, http


@pytest.fixture
def fetch(make_execution):
    """`fetch(answer, url)` serves the answer at good.test and gives what the component gets."""
    names, servers = Names(), []
    names.set("good.test", [LOOPBACK])
    egress = Egress(allow_networks=("127.0.0.0/8",), resolver=names)

    def send(answer, url="http://good.test:{port}/", **request):
        servers.append(Server(lambda _: answer))
        port = servers[-1].port
        execution = make_execution(
            Services(egress=egress), providers=["http.fetch"], egress=[f"http://good.test:{port}"]
        )
        full = {"method": "GET", "url": url.format(port=port), "headers": [], "body": None, **request}
        return basics.fetch(execution, full), servers[-1], execution

    yield send
    egress.close()
    for server in servers:
        server.stop()


def test_an_answer_comes_with_status_headers_and_bytes(fetch):
    (outcome, answer), server, _ = fetch(http(b"\x00hello", x_a="1"), method="post", body=b"\xff")
    assert (outcome, answer["status"], answer["body"]) == ("ok", 200, b"\x00hello")
    assert {"name": "x-a", "value": "1"} in answer["headers"]
    assert server.requests[0].startswith(b"POST / ")
    assert server.requests[0].endswith(b"\r\n\r\n\xff")


def test_an_answer_without_a_body_has_none(fetch):
    assert fetch(http(b"", "204 No Content"))[0][1]["body"] is None


def test_a_redirect_is_an_answer(fetch):
    (_, answer), server, _ = fetch(http(b"", "302 Found", location="/next"))
    assert (answer["status"], len(server.requests)) == (302, 1)


@pytest.mark.parametrize(
    ("url", "case"),
    [
        ("no url", "invalid-url"),
        ("ftp://good.test/", "invalid-url"),
        ("https://elsewhere.test/", "not-allowed"),
        ("http://127.0.0.1:{port}/", "not-allowed"),
    ],
)
def test_what_may_not_be_reached_is_typed_and_said_in_the_log(fetch, url, case):
    result, server, execution = fetch(http(b""), url)
    assert result == ("err", case)
    assert server.requests == []
    assert execution.lines[-1].message.startswith("http.fetch: ")


def test_an_answer_that_is_no_http_is_a_failure_of_transport(fetch):
    assert fetch(b"nonsense\r\n\r\n")[0] == ("err", "transport")


def test_an_answer_that_a_list_cannot_carry_is_a_failure_of_transport(fetch):
    assert fetch(http(b"x" * 2_600_000))[0] == ("err", "transport")

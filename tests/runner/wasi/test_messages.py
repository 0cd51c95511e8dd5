"""Headers, bodies and requests as a standard component handles them, one call after another."""

import pytest

from oriel.errors import OrielError
from runner.egress.client import Egress
from runner.execution import Services
from runner.wasi import cli, fields, incoming, messages, outgoing, polling, streams
from tests.runner.egress.servers import LOOPBACK, Names, dripping, http


@pytest.fixture
def execution(make_execution):
    return make_execution()


@pytest.fixture
def granted(make_execution, egress):
    """An execution that may reach a server."""

    def make(server, **changes):
        changes = {"providers": ["http.fetch"], "egress": [f"http://good.test:{server.port}"], **changes}
        return make_execution(Services(egress=egress), **changes)

    return make


def ask(execution, server, target="/", *, body=None, headers=(), options=None, method=("get", None)):
    """Send a request as a guest does; gives `("ok", IncomingResponse)` or `("err", code)`."""
    lines = fields.new(execution)
    for name, value in headers:
        assert fields.append(execution, lines, name, value) == ("ok", None)
    request = messages.outgoing_request(execution, lines)
    for part, value in (("method", method), ("scheme", ("HTTP", None)), ("target", target)):
        messages.setter(part)(execution, request, value)
    messages.setter("authority")(execution, request, f"good.test:{server.port}")
    content = None if body is None else messages.request_body(execution, request)[1]
    case, future = outgoing.handle(execution, request, options)
    if case == "err":
        return (case, future)
    if content is not None:
        assert outgoing.get(execution, future) is None
        streams.write(execution, messages.body_write(execution, content)[1], body)
        messages.finish_outgoing(execution, content, None)
    polling.block(execution, outgoing.subscribe(execution, future))
    told, result = outgoing.get(execution, future)
    assert (told, outgoing.get(execution, future)) == ("ok", ("err", None))
    return result


def body_of(execution, response):
    stream = messages.body_stream(execution, messages.consume(execution, response)[1])[1]
    data = b""
    while (piece := streams.read(execution, stream, 1 << 20))[0] == "ok":
        data += piece[1]
    return data


# -- requests to other hosts


def test_a_granted_host_is_reached_and_the_traffic_charged(granted, serve):
    server = serve(http(b"there", x_a="1"))
    execution = granted(server)
    case, response = ask(execution, server, "/status?a=1", headers=[("x-b", b"2")])
    assert (case, response.status, body_of(execution, response)) == ("ok", 200, b"there")
    assert fields.get(execution, messages.headers(execution, response), "X-A") == [b"1"]
    assert server.requests[0].startswith(b"GET /status?a=1 HTTP/1.1\r\n")
    assert b"x-b: 2" in server.requests[0].lower()
    assert execution.budgets.egress_bytes > 0
    assert execution.budgets.host_calls == 1


def test_a_request_goes_out_when_its_body_is_finished(granted, serve):
    server = serve(http(b"ok"))
    case, _ = ask(granted(server), server, body=b"x" * 100_000, method=("post", None))
    assert case == "ok"
    assert server.requests[0].endswith(b"x" * 100_000)


def test_a_length_that_the_guest_states_is_replaced_by_the_true_one(granted, serve):
    server = serve(http(b"ok"))
    headers = [("content-length", b"999")]
    assert ask(granted(server), server, body=b"four", method=("post", None), headers=headers)[0] == "ok"
    assert b"content-length: 4\r\n" in server.requests[0].lower()


def test_without_the_grant_nothing_goes_out(granted, serve):
    server = serve(http(b"never"))
    execution = granted(server, providers=[])
    assert ask(execution, server) == ("err", ("HTTP-request-denied", None))
    assert (server.connections, execution.budgets.denied_calls) == (0, 1)
    assert "has not granted http.fetch" in execution.lines[0].message


def test_a_host_that_is_not_granted_is_denied(granted, serve):
    server = serve(http(b"never"))
    execution = granted(server, egress=["https://api.acme.com"])
    assert ask(execution, server) == ("err", ("HTTP-request-denied", None))
    assert server.connections == 0


def test_an_address_of_the_own_network_is_denied_whatever_is_granted(make_execution, serve):
    server, names = serve(http(b"never")), Names()
    names.set("good.test", [LOOPBACK])
    client = Egress(resolver=names)
    grants = {"providers": ["http.fetch"], "egress": [f"http://good.test:{server.port}"]}
    assert ask(make_execution(Services(egress=client), **grants), server) == ("err", ("HTTP-request-denied", None))
    assert server.connections == 0


def test_a_redirect_is_an_answer(granted, serve):
    server = serve(http(b"", status="302 Found", location="http://elsewhere.test/"))
    _, response = ask(granted(server), server)
    assert response.status == 302


@pytest.mark.parametrize(
    ("target", "method", "code"),
    [
        ("/a b", ("get", None), "internal-error"),
        ("@evil.test/", ("get", None), "internal-error"),
        ("/", ("connect", None), "internal-error"),
        ("/", ("other", "GET / HTTP/1.1\r\nx: y"), "internal-error"),
    ],
)
def test_what_is_no_request_is_not_sent(granted, serve, target, method, code):
    server = serve(http(b"never"))
    case, error = ask(granted(server), server, target, method=method)
    assert (case, error[0], server.connections) == ("err", code, 0)


def test_a_broken_server_is_a_typed_error(granted, serve):
    server = serve(b"nonsense\r\n\r\n")
    assert ask(granted(server), server) == ("err", ("HTTP-protocol-error", None))


def test_a_time_for_the_first_byte_bounds_the_whole_exchange(granted, serve):
    server = serve(lambda _: dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", b"x"))
    execution = granted(server)
    options = messages.request_options(execution)
    messages.option_setter("first-byte-timeout")(execution, options, 50_000_000)
    assert ask(execution, server, options=options) == ("err", ("HTTP-response-timeout", None))


def test_traffic_past_the_budget_is_a_typed_error(granted, serve):
    server = serve(http(b"x" * 5_000))
    case, error = ask(granted(server, limits={"max_egress_bytes": 1_000}), server)
    assert (case, error[0]) == ("err", "internal-error")


def test_requests_are_counted_as_host_calls(granted, serve):
    server = serve(http(b"ok"))
    execution = granted(server, limits={"max_host_calls": 1})
    assert ask(execution, server)[0] == "ok"
    with pytest.raises(OrielError) as ended:
        ask(execution, server)
    assert ended.value.code == "host_budget_exceeded"


def test_a_body_that_is_never_finished_is_waited_for_until_the_deadline(granted, serve):
    server = serve(http(b"never"))
    execution = granted(server, limits={"timeout_ms": 50})
    request = messages.outgoing_request(execution, fields.new(execution))
    messages.request_body(execution, request)
    _, future = outgoing.handle(execution, request, None)
    assert not polling.ready(execution, outgoing.subscribe(execution, future))
    with pytest.raises(OrielError) as ended:
        polling.block(execution, outgoing.subscribe(execution, future))
    assert (ended.value.code, server.connections) == ("deadline_exceeded", 0)


# -- headers


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("x y", b"", "invalid-syntax"),
        ("", b"", "invalid-syntax"),
        ("x", b"a\r\nb: c", "invalid-syntax"),
        ("x", b"a\x00", "invalid-syntax"),
        ("Host", b"evil.test", "forbidden"),
        ("Transfer-Encoding", b"chunked", "forbidden"),
    ],
)
def test_a_header_that_may_not_be_is_refused(execution, name, value, problem):
    lines = fields.new(execution)
    assert fields.append(execution, lines, name, value) == ("err", (problem, None))
    assert fields.set_(execution, lines, name, [value]) == ("err", (problem, None))
    assert fields.from_list(execution, [(name, value)]) == ("err", (problem, None))
    assert fields.entries(execution, lines) == []


def test_headers_keep_repeats_and_their_order(execution):
    lines = fields.from_list(execution, [("X-A", b"1"), ("x-b", b"2"), ("x-a", b"3")])[1]
    assert fields.get(execution, lines, "x-A") == [b"1", b"3"]
    assert fields.set_(execution, lines, "x-a", [b"4"]) == ("ok", None)
    assert fields.entries(execution, lines) == [("x-b", b"2"), ("x-a", b"4")]
    assert fields.delete(execution, lines, "X-B") == ("ok", None)
    assert not fields.has(execution, lines, "x-b")


def test_headers_of_a_message_do_not_change_and_their_clone_does(execution):
    seen = messages.headers(execution, messages.outgoing_request(execution, fields.new(execution)))
    assert fields.append(execution, seen, "x", b"1") == ("err", ("immutable", None))
    clone = fields.clone(execution, seen)
    assert fields.append(execution, clone, "x", b"1") == ("ok", None)
    assert not fields.has(execution, seen, "x")


def test_what_the_host_keeps_for_a_guest_is_bounded(make_execution):
    execution = make_execution(limits={"max_response_bytes": 1_000, "max_egress_bytes": 1_000})
    for _ in range(12):
        fields.from_list(execution, [("x", b"y" * 100)])
    with pytest.raises(OrielError) as ended:
        fields.from_list(execution, [("x", b"y" * 100)])
    assert ended.value.code == "host_budget_exceeded"


# -- bodies


def test_each_part_of_a_message_is_taken_once(execution):
    response = messages.outgoing_response(execution, fields.new(execution))
    _, body = messages.response_body(execution, response)
    assert messages.response_body(execution, response) == ("err", None)
    assert messages.body_write(execution, body)[0] == "ok"
    assert messages.body_write(execution, body) == ("err", None)
    came = messages.IncomingBody(b"abc")
    assert messages.body_stream(execution, came)[0] == "ok"
    assert messages.body_stream(execution, came) == ("err", None)


def test_nothing_is_written_behind_the_end(execution):
    body = messages.response_body(execution, messages.outgoing_response(execution, fields.new(execution)))[1]
    stream = messages.body_write(execution, body)[1]
    messages.finish_outgoing(execution, body, None)
    assert streams.write(execution, stream, b"late") == ("err", ("closed", None))
    assert streams.check_write(execution, stream) == ("err", ("closed", None))
    assert bytes(body.data) == b""


def test_a_stream_flows_into_another_piece_by_piece(execution):
    source = streams.InputStream(b"x" * 200_000)
    body = messages.response_body(execution, messages.outgoing_response(execution, fields.new(execution)))[1]
    stream = messages.body_write(execution, body)[1]
    while streams.splice(execution, stream, source, 1 << 62)[0] == "ok":
        pass
    assert len(body.data) == 200_000


def test_zeroes_without_end_are_not_written(execution):
    stream = cli.stdout(execution)
    with pytest.raises(OrielError):
        streams.write_zeroes(execution, stream, 1 << 60)


def test_trailers_are_empty_and_told_once(execution):
    trailers = messages.finish_incoming(execution, messages.IncomingBody(b""))
    assert messages.trailers_get(execution, trailers) == ("ok", ("ok", None))
    assert messages.trailers_get(execution, trailers) == ("err", None)


@pytest.mark.parametrize("status", [0, 99, 1000, 65535])
def test_a_status_that_is_none_is_refused(execution, status):
    response = messages.outgoing_response(execution, fields.new(execution))
    assert messages.set_status(execution, response, status) == ("err", None)
    assert messages.status(execution, response) == 200


def test_a_request_has_an_address_under_which_nothing_is_reachable(execution):
    request = {
        "method": "PUT",
        "path": "/a%20b",
        "query": "c=%2F&c=",
        "headers": [{"name": "x-a", "value": "ü"}],
        "body": ("text", "grüß"),
    }
    asked, _ = incoming.Incoming(request, execution).arguments
    assert messages.method(execution, asked) == ("put", None)
    assert messages.target(execution, asked) == "/a%20b?c=%2F&c="
    assert messages.authority(execution, asked) == "com.acme.reports.invalid"
    lines = messages.headers(execution, asked)
    assert fields.entries(execution, lines) == [("x-a", b"\xfc"), ("content-length", b"6")]
    assert body_of(execution, asked) == "grüß".encode()

"""The gateway over HTTP: a real server, requests written by hand where clients would tidy them up."""

import http.client
import json
import socket
import threading

import pytest

from gateway.app import create_app
from tests.support.gateway import EXTENSION, ORIGIN, answer, bearer
from tests.support.serving import Port


@pytest.fixture
def serve(make_bench):
    stack = []

    def start(*, max_body_bytes=1_000, **settings):
        bench = make_bench(max_body_bytes=max_body_bytes)
        serving = Port().serve(create_app(bench.gateway, **settings))
        bench.origin = serving.__enter__()
        stack.append(serving)
        return bench

    yield start
    for serving in stack:
        serving.__exit__(None, None, None)


def address(bench):
    host, port = bench.origin.removeprefix("http://").split(":")
    return host, int(port)


def raw(bench, *lines, body=b""):
    """Send these very lines; the status, the headers (lower case) and the body that come back."""
    with socket.create_connection(address(bench), timeout=5) as connection:
        head = "\r\n".join([*lines, "host: x", f"authorization: {bearer()}", "connection: close", "", ""])
        connection.sendall(head.encode("latin-1") + body)
        answered = http.client.HTTPResponse(connection, method=lines[0].split()[0])
        answered.begin()
        return answered.status, [(key.lower(), value) for key, value in answered.getheaders()], answered.read()


def get(bench, target, *lines, method="GET"):
    return raw(bench, f"{method} {target} HTTP/1.1", *lines)


def code(got):
    assert dict(got[1])["content-type"] == "application/problem+json"
    return json.loads(got[2])["code"]


def test_an_extension_answers(serve):
    bench = serve()
    status, headers, body = get(bench, f"/api/ext/{EXTENSION}/notes/a%20b?q=%2F&q=2", "X-Ext-Tag: 1", "X-Ext-Tag: 2")
    assert (status, body) == (200, b"ok")
    assert {"x-request-id", "x-ext-execution-id", "server-timing"} <= dict(headers).keys()
    http_request = bench.last.http
    assert (http_request.path, http_request.query) == ("/notes/a%20b", "q=%2F&q=2")
    assert http_request.headers == (("x-ext-tag", "1"), ("x-ext-tag", "2"))
    assert bench.last.context.request_id == dict(headers)["x-request-id"]


@pytest.mark.parametrize("target", [f"/api/ext/{EXTENSION}", f"/api/ext/{EXTENSION}/"])
def test_the_root_of_an_extension_answers_with_and_without_a_slash(serve, target):
    bench = serve()
    assert get(bench, target)[0] == 200
    assert bench.last.http.path == "/"


@pytest.mark.parametrize(
    "path",
    [
        "/../../v1/installs",
        "/%2e%2e/%2e%2e/v1/installs",
        "/%252e%252e/x",
        "/..%2f..%2fv1",
        "/..%5cx",
        "/%c0%ae%c0%ae/x",
        "/..;/x",
        "/a%00b",
        "/notes//1",
        "/.hidden",
        "/" + "x" * 4096,
        "/a%09b",
        "/%ed%a0%80",
    ],
)
def test_a_hostile_path_is_refused_on_the_wire(serve, path):
    bench = serve()
    got = get(bench, f"/api/ext/{EXTENSION}{path}")
    assert (got[0], code(got)) == (400, "invalid_path")
    assert not bench.runner.asked


def test_a_line_break_in_the_path_reaches_no_guest(serve):
    bench = serve()
    assert get(bench, f"/api/ext/{EXTENSION}/a%0d%0ab")[0] in {400, 404}
    assert not bench.runner.asked


@pytest.mark.parametrize("target", ["/%61pi/ext/com.acme.notes/", "/api/%65xt/com.acme.notes/"])
def test_a_prefix_in_disguise_is_refused(serve, target):
    bench = serve()
    assert code(get(bench, target)) == "invalid_path"


def test_an_extension_name_in_disguise_is_not_installed(serve):
    bench = serve()
    assert code(get(bench, "/api/ext/com%2eacme.notes/")) == "extension_not_installed"
    assert not bench.source.reads


def test_another_path_is_a_problem_too(serve):
    got = get(serve(), "/nothing")
    assert (got[0], code(got)) == (404, "not_found")


def test_a_method_nobody_knows_is_a_problem_too(serve):
    got = get(serve(), f"/api/ext/{EXTENSION}/", method="BREW")
    assert (got[0], code(got)) == (405, "method_not_allowed")


def test_every_answer_has_an_id_of_its_own(serve):
    bench = serve()
    ids = {dict(get(bench, "/nothing", "x-request-id: mine")[1])["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert "mine" not in ids


def test_head_has_the_length_and_no_body(serve):
    bench = serve()
    bench.runner.reply = answer(200, b"x" * 77, ("content-type", "text/plain"))
    status, headers, body = get(bench, f"/api/ext/{EXTENSION}/", method="HEAD")
    assert (status, dict(headers)["content-length"], body) == (200, "77", b"")


def test_an_answer_has_one_length_and_no_surplus_headers(serve):
    bench = serve()
    bench.runner.reply = answer(200, b"abc", ("content-length", "9999"), ("x-ext-a", "1"), ("x-ext-a", "2"))
    _, headers, body = get(bench, f"/api/ext/{EXTENSION}/")
    assert body == b"abc"
    assert [value for name, value in headers if name == "content-length"] == ["3"]
    assert [value for name, value in headers if name == "x-ext-a"] == ["1", "2"]


def test_a_body_announced_over_the_limit_is_refused_unread(serve):
    bench = serve()
    got = raw(bench, f"POST /api/ext/{EXTENSION}/notes HTTP/1.1", "content-length: 1001")
    assert (got[0], code(got)) == (413, "body_too_large")


def test_a_body_that_says_no_length_is_refused_when_it_passes_the_limit(serve):
    bench = serve()
    chunks = b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n"
    got = raw(bench, f"POST /api/ext/{EXTENSION}/notes HTTP/1.1", "transfer-encoding: chunked", body=chunks)
    assert (got[0], code(got)) == (413, "body_too_large")
    assert not bench.runner.asked


def test_a_body_of_the_limit_passes_both_ways(serve):
    bench = serve()
    body = bytes(range(250)) * 4
    bench.runner.reply = lambda request: answer(200, request.http.body())
    got = raw(bench, f"POST /api/ext/{EXTENSION}/notes HTTP/1.1", "content-length: 1000", body=body)
    assert (got[0], got[2]) == (200, body)


def test_a_preflight_is_answered_without_a_token(serve):
    bench = serve()
    status, headers, _ = get(
        bench, f"/api/ext/{EXTENSION}/", f"origin: {ORIGIN}", "access-control-request-method: POST", method="OPTIONS"
    )
    assert (status, dict(headers)["access-control-allow-origin"]) == (204, ORIGIN)


def test_who_finds_the_queue_full_is_told_at_once(serve):
    bench = serve(threads=1, max_waiting=0)
    inside, go = threading.Event(), threading.Event()

    def slow(_request):
        inside.set()
        assert go.wait(5)
        return answer(200, b"first")

    bench.runner.reply = slow
    got = []
    first = threading.Thread(target=lambda: got.append(get(bench, f"/api/ext/{EXTENSION}/")))
    first.start()
    assert inside.wait(5)
    second = get(bench, f"/api/ext/{EXTENSION}/")
    go.set()
    first.join(5)
    assert (second[0], code(second), dict(second[1])["retry-after"]) == (429, "overloaded", "1")
    assert got[0][0] == 200


def test_health_is_answered(serve):
    assert get(serve(), "/healthz")[0] == 200


def test_the_description_names_every_method_and_the_problem(serve):
    described = json.loads(get(serve(), "/openapi.json")[2])
    operations = described["paths"]["/api/ext/{extension_id}/{path}"]
    assert {"get", "head", "post", "put", "patch", "delete"} < operations.keys()
    assert described["components"]["schemas"]["Problem"]["required"]

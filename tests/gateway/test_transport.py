"""The HTTP way to the runner, over real sockets."""

import json
import socket
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from gateway.http_runner import HttpRunner
from oriel.contract import ExecuteError, ExecuteRequest, ExecutionContext, HttpRequest, Limits
from oriel.errors import OrielError
from oriel.identity import ServiceTokenSigner, ServiceTokenVerifier
from tests.support.gateway import answer
from tests.support.http import serving

KEY = Ed25519PrivateKey.generate()
REQUEST = ExecuteRequest(
    context=ExecutionContext(
        request_id="req",
        execution_id="exe",
        tenant_id="acme",
        extension_id="com.acme.notes",
        install_id="ins",
        version_id="ver",
        version="1.0.0",
        content_hash="sha256:" + "0" * 64,
    ),
    http=HttpRequest(method="GET", path="/"),
    limits=Limits(timeout_ms=5_000, max_response_bytes=1_000),
)


def runner(url, **settings):
    return HttpRunner(url, ServiceTokenSigner(KEY), **settings)


def execute(handle, request=REQUEST, **settings):
    with serving(handle) as url:
        transport = runner(url, **settings)
        try:
            return transport.execute(request)
        finally:
            transport.close()


def failure(handle, request=REQUEST, **settings):
    with pytest.raises(OrielError) as caught:
        execute(handle, request, **settings)
    return caught.value


def test_an_execution_and_its_answer_cross_whole():
    seen = {}

    def handle(request):
        seen["path"], seen["body"] = request.path, request.body()
        seen["token"] = request.headers["authorization"].removeprefix("Bearer ")
        request.answer(200, answer(201, b"\0\xff", ("x-ext-a", "1")).to_json())

    got = execute(handle)
    assert (got.status, got.body(), got.headers) == (201, b"\0\xff", (("x-ext-a", "1"),))
    assert (seen["path"], ExecuteRequest.from_json(seen["body"])) == ("/v1/execute", REQUEST)
    verifier = ServiceTokenVerifier([KEY.public_key()])
    verifier.verify(seen["token"], seen["body"]).require_same(REQUEST.context)


def test_connections_are_kept():
    ports = []

    def handle(request):
        request.body()
        ports.append(request.client_address)
        request.answer(200, answer().to_json())

    with serving(handle) as url:
        transport = runner(url)
        for _ in range(3):
            transport.execute(REQUEST)
        transport.close()
    assert (len(ports), len(set(ports))) == (3, 1)


def test_a_guests_failure_is_in_the_answer():
    failed = answer(0, b"", error=ExecuteError(code="guest_trap", message="unreachable"))
    got = execute(lambda request: (request.body(), request.answer(200, failed.to_json())))
    assert got.error.code == "guest_trap"


def problem(status, code, **headers):
    def handle(request):
        request.body()
        request.answer(status, json.dumps({"code": code, "detail": "the detail"}).encode(), **headers)

    return handle


def test_overload_reaches_the_client_with_its_time_to_wait():
    error = failure(problem(429, "overloaded", retry_after="3"))
    assert (error.code, error.detail, error.retry_after) == ("overloaded", "the detail", 3)


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "untrusted_caller"), (400, "malformed_request"), (500, "internal"), (418, "new_code"), (503, "new_code")],
)
def test_a_refused_call_is_not_the_clients_fault(status, code):
    error = failure(problem(status, code))
    assert error.code == "unavailable"
    assert "the detail" not in error.detail


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b'{"status": "x"}', b'{"code": 1}', b"\xff"])
@pytest.mark.parametrize("status", [200, 302, 500])
def test_an_answer_that_is_none_is_unavailable(body, status):
    assert failure(lambda request: (request.body(), request.answer(status, body))).code == "unavailable"


def test_a_refused_connection_is_unavailable():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        transport = runner(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(OrielError) as caught:
            transport.execute(REQUEST)
        transport.close()
    assert (caught.value.code, caught.value.retry_after) == ("unavailable", 1)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"])
def test_a_connection_lost_after_the_request_is_a_lost_worker_and_no_second_try(said):
    asked = []

    def handle(request):
        asked.append(request.body())
        request.wfile.write(said)
        request.wfile.flush()
        request.connection.shutdown(socket.SHUT_RDWR)
        request.close_connection = True

    error = failure(handle)
    assert (error.code, error.status, len(asked)) == ("worker_lost", 502, 1)


def test_a_runner_that_does_not_answer_in_time_is_a_deadline_and_no_trap():
    over = threading.Event()

    def handle(request):
        request.body()
        over.wait(5)

    short = replace(REQUEST, limits=Limits(timeout_ms=1))
    with serving(handle) as url:
        transport = runner(url, margin=0.05)
        with pytest.raises(OrielError) as caught:
            transport.execute(short)
        over.set()
        transport.close()
    assert (caught.value.code, caught.value.status) == ("deadline_exceeded", 504)


def test_an_endless_answer_is_cut_off():
    error = failure(lambda request: (request.body(), request.answer(200, b" " * 8_000_000)))
    assert error.code == "output_too_large"


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert execute(lambda request: (request.body(), request.answer(200, answer().to_json())))

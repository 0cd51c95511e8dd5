"""`http.fetch` as a guest calls it."""

import base64
import os
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oriel.contract import ExecuteRequest, ExecutionContext, HttpRequest, Limits, SealedSecret
from oriel.errors import OrielError
from oriel.sealing import DataKey, Sealer
from runner.execution import Execution, Services
from runner.host import http as host
from tests.runner.egress.servers import dripping, http

CONTEXT = ExecutionContext(
    request_id="req_1",
    execution_id="exe_1",
    tenant_id="ten_1",
    extension_id="com.acme.reports",
    install_id="ins_1",
    version_id="ver_1",
    version="1.2.3",
    content_hash="sha256:" + "0" * 64,
)
CANARY = "sk_live_CANARY_0123456789"


class OneKey:
    """A source of data keys with one key."""

    def __init__(self):
        self.key = DataKey("key_1", AESGCM(os.urandom(32)))

    def current(self):
        return self.key

    def by_id(self, key_id):
        return self.key if key_id == self.key.key_id else None


@pytest.fixture
def begin(make_egress):
    """`begin(server, **limits)`: an execution that is granted that server."""
    egress, sealer = make_egress(), Sealer(OneKey())

    def start(server, providers=("http.fetch",), secrets=(), client=egress, **limits):
        sealed = []
        for name, value, hosts in secrets:
            box = sealer.seal("ten_1", "ins_1", name, value.encode())
            parts = [base64.b64encode(part).decode() for part in (box.nonce, box.ciphertext)]
            sealed.append(
                SealedSecret(
                    name=name,
                    key_id=box.key_id,
                    nonce_b64=parts[0],
                    ciphertext_b64=parts[1],
                    hosts=hosts,
                    reference_only=True,
                )
            )
        request = ExecuteRequest(
            context=CONTEXT,
            http=HttpRequest(method="GET", path="/"),
            limits=Limits(**limits),
            providers=frozenset(providers),
            egress=(f"http://good.test:{server.port}",),
            secrets=tuple(sealed),
        )
        return Execution.begin(request, Services(opener=sealer, egress=client))

    return start


def ask(server, path="/", **more):
    url = f"http://good.test:{server.port}{path}"
    return {"method": "GET", "url": url, "headers": [], "body": ("empty", None), **more}


def options(**more):
    return {"timeout_ms": None, "redirects": 0, "max_body_bytes": None, **more}


def test_an_answer_comes_back_as_the_records_of_the_interface(begin, serve):
    server = serve(http(b'{"a":1}', content_type="application/json"))
    request = ask(server, method="POST", headers=[{"name": "X-A", "value": "1"}], body=("text", "h\u00e9"))
    kind, answer = host.fetch(begin(server), request, None)
    assert kind == "ok"
    assert answer == {
        "status": 200,
        "headers": [
            {"name": "content-type", "value": "application/json"},
            {"name": "content-length", "value": "7"},
        ],
        "body": ("text", '{"a":1}'),
        "url": request["url"],
    }
    assert server.requests[0].endswith("h\u00e9".encode())
    assert b"user-agent: Oriel/" in server.requests[0]
    assert b"(com.acme.reports)" in server.requests[0]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"", "text/plain", ("empty", None)),
        (b"caf\xc3\xa9", "text/plain; charset=utf-8", ("text", "caf\u00e9")),
        (b"caf\xe9", "text/plain", ("bytes", b"caf\xe9")),
        (b"abc", "application/octet-stream", ("bytes", b"abc")),
        (b"\xff" * 1_200_000, "image/png", ("base64", "////" * 400_000)),
    ],
    ids=["empty", "text", "text in another charset", "bytes", "base64"],
)
def test_a_body_takes_the_form_that_fits_it(begin, serve, body, content_type, expected):
    server = serve(http(body, content_type=content_type))
    assert host.fetch(begin(server), ask(server), None)[1]["body"] == expected


@pytest.mark.parametrize("body", [("bytes", b"\x00\xff"), ("base64", "AP8=")], ids=["bytes", "base64"])
def test_bytes_go_out_as_they_are(begin, serve, body):
    server = serve()
    host.fetch(begin(server), ask(server, method="PUT", body=body), None)
    assert server.requests[0].endswith(b"\r\n\r\n\x00\xff")


def test_broken_base64_is_an_invalid_request(begin, serve):
    server = serve()
    assert host.fetch(begin(server), ask(server, body=("base64", "\u0100")), None)[1][0] == "invalid-request"


def test_a_host_that_is_not_granted_is_typed_denied(begin, serve):
    server = serve()
    kind, (case, _) = host.fetch(begin(server), ask(server, url="https://evil.test/"), None)
    assert (kind, case) == ("err", "denied")


def test_a_platform_without_egress_answers_denied(begin, serve):
    server = serve()
    assert host.fetch(begin(server, client=None), ask(server), None)[1][0] == "denied"


def test_the_guests_own_timeout_holds(begin, serve):
    server = serve(lambda _: dripping(b"HTTP/1.1 200 OK\r\nx: ", b"a"))
    assert host.fetch(begin(server), ask(server), options(timeout_ms=100))[1][0] == "timeout"
    assert host.fetch(begin(server), ask(server), options(timeout_ms=0))[1][0] == "timeout"


def test_the_executions_deadline_holds_whatever_the_guest_asks_for(begin, serve):
    server = serve(lambda _: dripping(b"HTTP/1.1 200 OK\r\nx: ", b"a"))
    execution = begin(server, timeout_ms=150)
    assert host.fetch(execution, ask(server), options(timeout_ms=60_000))[1][0] == "timeout"
    assert execution.remaining() == 0


def test_the_guests_own_limit_of_the_body_holds(begin, serve):
    server = serve(http(b"a" * 100))
    assert host.fetch(begin(server), ask(server), options(max_body_bytes=99))[1][0] == "too-large"


def test_redirects_are_followed_where_asked(begin, serve):
    server = serve(lambda request: http(b"there") if b"/b" in request else http(b"", "302 Found", location="/b"))
    assert host.fetch(begin(server), ask(server), None)[1]["status"] == 302
    assert host.fetch(begin(server), ask(server), options(redirects=1))[1]["body"][1] == b"there"
    assert host.fetch(begin(server), ask(server), options(redirects=9))[1][0] == "invalid-request"


def test_traffic_is_charged_and_past_the_budget_every_request_fails(begin, serve):
    server = serve(http(b"a" * 5_000))
    execution = begin(server, max_egress_bytes=8_000)
    assert host.fetch(execution, ask(server), None)[0] == "ok"
    assert execution.budgets.egress_bytes > 5_000
    assert host.fetch(execution, ask(server), None)[1][0] == "budget-exceeded"
    assert host.fetch(execution, ask(server), None)[1][0] == "budget-exceeded"
    assert len(server.requests) == 2


def test_an_error_that_is_not_about_the_budget_ends_the_execution(begin, serve):
    class Broken:
        def fetch(self, *_):
            raise OrielError("deadline_exceeded", "over")

    server = serve()
    with pytest.raises(OrielError):
        host.fetch(begin(server, client=Broken()), ask(server), None)


REFERENCE = [{"name": "authorization", "value": "Bearer {{secret:KEY}}"}]


def test_a_sealed_secret_is_filled_in_and_never_seen(begin, serve):
    server = serve(http)
    hosts = (f"http://good.test:{server.port}",)
    execution = begin(server, ("http.fetch", "secrets.get"), [("KEY", CANARY, hosts)])
    kind, answer = host.fetch(execution, ask(server, headers=REFERENCE), None)
    assert kind == "ok"
    assert CANARY.encode() in server.requests[0]
    assert CANARY not in repr(answer)


def test_a_reference_without_the_grant_for_secrets_is_refused(begin, serve):
    server = serve()
    hosts = (f"http://good.test:{server.port}",)
    execution = begin(server, ("http.fetch",), [("KEY", CANARY, hosts)])
    assert host.fetch(execution, ask(server, headers=REFERENCE), None)[1][0] == "denied"
    assert server.connections == 0


def test_a_secret_bound_to_another_host_is_denied(begin, serve):
    server = serve()
    execution = begin(server, ("http.fetch", "secrets.get"), [("KEY", CANARY, ("api.acme.com",))])
    kind, (case, text) = host.fetch(execution, ask(server, headers=REFERENCE), None)
    assert (kind, case) == ("err", "denied")
    assert CANARY not in text
    assert server.connections == 0


def test_importing_the_host_function_loads_no_tls_and_no_http():
    code = "import sys, runner.host.http; print(sorted({'ssl', 'h11', 'httpcore', 'httpx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

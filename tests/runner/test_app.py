"""The runner over HTTP: who may call it, and what it answers."""

import asyncio
import json
import threading

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.identity import ServiceTokenSigner, ServiceTokenVerifier
from runner.app import create_app
from runner.pool import Share
from tests.guests import hostile

MAX_BODY = 100_000
ONE_AT_A_TIME = Share(threads=1, per_tenant=1, per_install=1, heavy_per_tenant=1, queue=0, queue_per_tenant=0)


class Client:
    """Requests to an app in this process."""

    def __init__(self, app):
        self._transport = httpx.ASGITransport(app)

    def request(self, method, path, **request):
        async def send():
            async with httpx.AsyncClient(transport=self._transport, base_url="http://runner") as client:
                return await client.request(method, path, **request)

        return asyncio.run(send())


@pytest.fixture
def key():
    return Ed25519PrivateKey.generate()


@pytest.fixture
def signer(key):
    return ServiceTokenSigner(key)


@pytest.fixture
def runner(platform):
    return platform.runner()


@pytest.fixture
def client(runner, key):
    app = create_app(runner, ServiceTokenVerifier([key.public_key()]), max_body_bytes=MAX_BODY)
    return Client(app)


@pytest.fixture
def hello(platform, make_request):
    return make_request(context={"content_hash": platform.publish(hostile.HELLO)})


def post(client, body, token):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return client.request("POST", "/v1/execute", content=body, headers=headers)


def send(client, signer, asked):
    body = asked.to_json()
    return post(client, body, signer.mint(body, asked.context))


def code(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["code"]


def test_the_gateways_request_is_executed(client, signer, hello):
    answer = send(client, signer, hello)
    assert answer.status_code == 200
    assert ExecuteResponse.from_json(answer.content).body() == b"hello"


def test_a_guests_failure_is_an_answer_with_a_receipt(client, signer, platform, make_request):
    asked = make_request(context={"content_hash": platform.publish(hostile.TRAP)})
    answer = send(client, signer, asked)
    assert answer.status_code == 200
    told = ExecuteResponse.from_json(answer.content)
    assert (told.status, told.error.code, told.receipt.reason) == (502, "guest_trap", "guest_trap")


def test_a_caller_without_a_token_is_refused(client, hello):
    assert code(post(client, hello.to_json(), None), 401) == "untrusted_caller"


def test_a_token_of_a_stranger_is_refused(client, hello):
    stranger = ServiceTokenSigner(Ed25519PrivateKey.generate())
    assert code(send(client, stranger, hello), 401) == "untrusted_caller"


def test_a_token_for_another_body_is_refused(client, signer, hello):
    body = hello.to_json()
    token = signer.mint(body, hello.context)
    wider = replace(hello, providers=frozenset({"storage.kv"}))
    assert code(post(client, wider.to_json(), token), 401) == "untrusted_caller"


@pytest.mark.parametrize("name", ["tenant_id", "install_id", "extension_id", "content_hash", "execution_id"])
def test_a_token_whose_ids_are_not_the_bodys_is_refused(client, signer, hello, name):
    body = hello.to_json()
    other = {"content_hash": "sha256:" + "f" * 64}.get(name, "other")
    token = signer.mint(body, replace(hello.context, **{name: other}))
    assert code(post(client, body, token), 401) == "untrusted_caller"


def test_a_token_is_good_for_one_request(client, signer, hello):
    body = hello.to_json()
    token = signer.mint(body, hello.context)
    assert post(client, body, token).status_code == 200
    assert code(post(client, body, token), 401) == "untrusted_caller"


def test_a_body_over_the_limit_is_refused(client, hello):
    assert code(post(client, b"x" * (2 * MAX_BODY + 1_000_000), "any"), 413) == "body_too_large"


@pytest.mark.parametrize(
    ("change", "place"), [({"limits": {"timeout_ms": 0}}, "limits.timeout_ms"), ({"surplus": 1}, "")]
)
def test_a_body_that_is_no_request_is_malformed_and_says_where(client, signer, hello, change, place):
    body = json.dumps({**json.loads(hello.to_json()), **change}).encode()
    answer = post(client, body, signer.mint(body, hello.context))
    assert code(answer, 400) == "malformed_request"
    assert [finding["at"] for finding in answer.json()["findings"]] == [place]


def test_a_request_too_many_is_told_when_to_come_back(platform, key, signer, make_request, hello):
    looping = make_request(context={"content_hash": platform.publish(hostile.LOOP)}, limits={"timeout_ms": 1_000})
    runner = platform.runner(ONE_AT_A_TIME)
    client = Client(create_app(runner, ServiceTokenVerifier([key.public_key()]), max_body_bytes=MAX_BODY))
    running = runner.submit(looping)
    answer = send(client, signer, hello)
    assert code(answer, 429) == "overloaded"
    assert answer.headers["retry-after"] == "1"
    assert running.result(10).error.code == "deadline_exceeded"
    assert send(client, signer, renewed(hello)).status_code == 200


def renewed(asked: ExecuteRequest) -> ExecuteRequest:
    return replace(asked, context=replace(asked.context, execution_id="exe_2"))


def test_a_request_whose_time_is_up_before_a_thread_is_free_is_told_so(platform, key, signer, make_request):
    share = Share(threads=1, per_tenant=1, per_install=1, heavy_per_tenant=1, queue=4, queue_per_tenant=4)
    runner = platform.runner(share)
    app = create_app(runner, ServiceTokenVerifier([key.public_key()]), max_body_bytes=MAX_BODY)
    let_go = threading.Event()
    runner._pool.submit("noisy", "ins_9", lambda: let_go.wait() and None)  # as work that was refused: without a result
    asked = make_request(limits={"timeout_ms": 50})
    answer = send(Client(app), signer, asked)
    let_go.set()
    assert code(answer, 504) == "deadline_exceeded"


def test_health_needs_no_token(client):
    assert client.request("GET", "/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/"])
def test_there_is_nothing_else_to_ask(client, path):
    assert client.request("GET", path).status_code == 404


@pytest.mark.parametrize("header", ["x-alga-tenant", "x-alga-extension"])
def test_a_header_that_names_somebody_else_than_the_token_is_refused(client, signer, hello, header):
    body = hello.to_json()
    same = {"x-alga-tenant": hello.context.tenant_id, "x-alga-extension": hello.context.extension_id}

    def status(**headers):
        sent = {"authorization": f"Bearer {signer.mint(body, hello.context)}", **headers}
        return client.request("POST", "/v1/execute", content=body, headers=sent).status_code

    assert status(**same) == 200
    assert status(**{header: "evil"}) == 401

"""Operations of the host product, against a real server on loopback."""

import hashlib
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from oriel.identity.product import AUDIENCE, HostTokenSigner
from oriel.operations import load_operations
from runner.execution import Services
from runner.host import product as host
from runner.product import Product
from tests.runner.egress.servers import Server, dripping, http

KEY = Ed25519PrivateKey.generate()
USER = {"id": "ada", "name": "Ada Lindqvist", "roles": ["admin"]}


@pytest.fixture
def calling(make_execution):
    """`calling(answer)` serves a product with that answer and gives `call(input)` and the server."""
    servers, products = [], []

    def make(answer, *, operation=None, **changes):
        server = Server(answer if callable(answer) else lambda _: answer)
        servers.append(server)
        declared = {"orders.list": {"url": f"http://127.0.0.1:{server.port}/op?v=1", **(operation or {})}}
        products.append(Product(load_operations(json.dumps(declared), ""), HostTokenSigner(KEY)))
        members = {"operations": ["orders.list"], "acting_user": USER, **changes}
        execution = make_execution(Services(product=products[-1]), **members)
        return execution, server

    yield make
    for product in products:
        product.close()
    for server in servers:
        server.stop()


def ask(execution, value=None, name="orders.list"):
    return host.call(execution, name, json.dumps(value))


def case(result):
    assert result[0] == "err"
    return result[1][0]


def sent(server):
    head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return lines[0], dict(line.split(": ", 1) for line in lines[1:]), body


def claims(server):
    token = sent(server)[1]["authorization"].removeprefix("Bearer ")
    return jwt.decode(token, KEY.public_key(), algorithms=["EdDSA"], audience=AUDIENCE)


def test_the_answer_is_the_products_json(calling):
    execution, server = calling(http(b'{"orders": [1]}'))
    assert ask(execution, {"status": "open"}) == ("ok", '{"orders": [1]}')
    line, headers, body = sent(server)
    assert line == "POST /op?v=1 HTTP/1.1"
    assert headers["content-type"] == "application/json"
    message = json.loads(body)
    assert (message["operation"], message["input"]) == ("orders.list", {"status": "open"})
    assert message["context"]["tenant_id"] == "acme"
    assert message["user"] == {"id": "ada", "name": "Ada Lindqvist", "roles": ["admin"]}


def test_the_token_says_for_whom_and_binds_the_body(calling):
    execution, server = calling(http(b"1"))
    ask(execution)
    found = claims(server)
    names = ("tenant", "install", "extension", "execution", "operation", "sub")
    assert [found[name] for name in names] == ["acme", "ins_1", "com.acme.reports", "exe_1", "orders.list", "ada"]
    assert found["body_sha256"] == hashlib.sha256(sent(server)[2]).hexdigest()
    assert 0 < found["exp"] - found["iat"] <= 30


def test_every_call_has_a_token_of_its_own(calling):
    execution, server = calling(http(b"1"))
    first = ask(execution), claims(server)["jti"]
    ask(execution)
    assert claims(server)["jti"] != first[1]


def test_without_a_user_the_token_names_none(calling):
    execution, server = calling(http(b"1"), acting_user=None)
    ask(execution)
    assert "sub" not in claims(server)
    assert json.loads(sent(server)[2])["user"] is None


def test_an_operation_that_was_not_granted_is_denied_and_never_sent(calling):
    execution, server = calling(http(b"1"), operations=["orders.get"])
    assert case(ask(execution)) == "denied"
    assert server.requests == []


def test_a_granted_operation_that_the_operator_does_not_declare_is_unknown(calling):
    execution, _ = calling(http(b"1"), operations=["orders.delete"])
    assert case(ask(execution, name="orders.delete")) == "unknown-operation"


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a":1,"a":2}', "[" * 100 + "]" * 100])
def test_an_input_that_is_no_strict_json_is_invalid_and_never_sent(calling, text):
    execution, server = calling(http(b"1"))
    assert case(host.call(execution, "orders.list", text)) == "invalid-input"
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("400 Bad Request", "invalid-input"),
        ("422 Unprocessable", "invalid-input"),
        ("403 Forbidden", "denied"),
        ("503 Unavailable", "unavailable"),
        ("504 Timeout", "timeout"),
    ],
)
def test_a_refusal_of_the_product_is_typed_and_keeps_its_words(calling, status, expected):
    execution, _ = calling(http(b'{"detail": "Not like this."}', status))
    assert ask(execution) == ("err", (expected, "Not like this."))


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "409 Conflict", "500 Error"])
def test_any_other_answer_keeps_its_status_and_code(calling, status):
    execution, _ = calling(http(b'{"detail": "No.", "code": "order_closed"}', status))
    failure = {"status": int(status[:3]), "code": "order_closed", "detail": "No."}
    assert ask(execution) == ("err", ("host-error", failure))


def test_a_redirect_is_not_followed(calling):
    execution, server = calling(lambda _: http(b"", "307 Temporary Redirect", location="/elsewhere"))
    assert case(ask(execution)) == "host-error"
    assert len(server.requests) == 1


def test_an_answer_without_a_body_is_null(calling):
    assert ask(calling(http(b"", "204 No Content"))[0]) == ("ok", "null")


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"NaN"])
def test_an_answer_that_is_no_json_is_the_products_fault(calling, body):
    assert case(ask(calling(http(body))[0])) == "host-error"


def test_an_answer_over_the_operations_size_is_not_taken(calling):
    execution, _ = calling(http(b'"' + b"x" * 2_000 + b'"'), operation={"max_bytes": 1_000})
    assert case(ask(execution)) == "host-error"


def test_a_slow_product_ends_by_the_operations_timeout(calling):
    slow = lambda _: dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b" ")  # noqa: E731
    execution, _ = calling(slow, operation={"timeout_ms": 100})
    assert case(ask(execution)) == "timeout"


def test_a_slow_product_ends_by_the_executions_deadline(calling):
    slow = lambda _: dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b" ")  # noqa: E731
    execution, _ = calling(slow, limits={"timeout_ms": 100})
    assert case(ask(execution)) == "timeout"


def test_a_call_is_charged_and_stops_at_the_budget(calling):
    execution, _ = calling(http(b'"' + b"x" * 5_000 + b'"'), limits={"max_egress_bytes": 3_000})
    assert case(ask(execution)) == "budget-exceeded"
    assert execution.budgets.egress_bytes > 3_000


def test_a_product_that_is_away_is_unavailable_and_says_no_address(calling):
    execution, server = calling(http(b"1"))
    server.stop()
    outcome = ask(execution)
    assert case(outcome) == "unavailable"
    assert "127.0.0.1" not in outcome[1][1]


def test_nothing_is_sent_twice_where_the_product_hangs_up(calling):
    execution, server = calling(lambda _: None)
    assert case(ask(execution)) == "unavailable"
    assert len(server.requests) == 1


def test_a_connection_is_used_again_and_by_every_install(calling):
    execution, server = calling(http(b"1"))
    for install in ("ins_1", "ins_2"):
        execution.context = replace(execution.context, install_id=install)
        assert ask(execution)[0] == "ok"
    assert server.connections == 1

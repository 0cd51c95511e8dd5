"""What the web apps share."""

import logging

import anyio
import httpx
import pytest
from fastapi import FastAPI, Request

from oriel.errors import OrielError
from oriel.web import install_error_handlers, raw_path, raw_query, read_body, request_id


@pytest.fixture
def client():
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/teapot")
    async def teapot():
        raise OrielError("rate_limited", "Slow down.", retry_after=7)

    @app.get("/broken")
    def broken():
        raise RuntimeError("password=hunter2")

    @app.get("/number/{value}")
    def number(value: int):
        return value

    @app.get("/seen/{path:path}")
    def seen(request: Request):
        return [raw_path(request).decode(), raw_query(request), request_id(request)]

    @app.post("/body")
    async def body(request: Request):
        return len(await read_body(request, 10, seconds=0.2))

    def ask(method, path, **request):
        async def send():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
                return await http.request(method, path, **request)

        return anyio.run(send)

    return ask


def test_an_error_is_a_problem_with_the_id_of_the_request(client):
    got = client("GET", "/teapot")
    assert (got.status_code, got.headers["content-type"]) == (429, "application/problem+json")
    assert (got.headers["retry-after"], got.headers["cache-control"]) == ("7", "no-store")
    problem = got.json()
    assert (problem["code"], problem["detail"]) == ("rate_limited", "Slow down.")
    assert problem["request_id"] == got.headers["x-request-id"]


def test_an_unexpected_error_is_logged_and_says_nothing(client, caplog):
    with caplog.at_level(logging.ERROR, "oriel.web"):
        got = client("GET", "/broken")
    assert (got.status_code, got.json()["code"]) == (500, "internal")
    assert "hunter2" not in got.text
    assert "hunter2" in caplog.text
    assert got.headers["x-request-id"] == got.json()["request_id"]


def test_an_input_of_the_wrong_type_names_its_place(client):
    problem = client("GET", "/number/x").json()
    assert (problem["status"], problem["code"]) == (422, "invalid_input")
    assert problem["findings"][0]["at"] == "path.value"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/none", 404), ("PATCH", "/body", 405)])
def test_the_frameworks_own_refusals_are_problems(client, method, path, status):
    got = client(method, path)
    assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json")


def test_path_and_query_are_those_of_the_wire(client):
    path, query, seen_id = client("GET", "/seen/a%20b%2Fc?x=%2F&x=1").json()
    assert (path, query) == ("/seen/a%20b%2Fc", "x=%2F&x=1")
    assert seen_id.startswith("req_")


def test_a_server_that_hides_the_raw_path_cannot_smuggle_escapes():
    scope = {"type": "http", "path": "/a%2e/\u00e9 b", "headers": [], "query_string": b""}
    assert raw_path(Request(scope)) == b"/a%252e/%C3%A9%20b"


def test_a_body_is_read_up_to_its_limit(client):
    async def chunks():
        yield b"x" * 6
        yield b"x" * 6

    assert client("POST", "/body", content=b"x" * 10).json() == 10
    assert client("POST", "/body", content=b"x" * 11).status_code == 413
    assert client("POST", "/body", content=chunks()).json()["code"] == "body_too_large"


def test_a_body_that_never_ends_is_given_up(client):
    async def endless():
        yield b"x"
        await anyio.sleep_forever()

    got = client("POST", "/body", content=endless())
    assert (got.status_code, got.json()["code"]) == (400, "malformed_request")

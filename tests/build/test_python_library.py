"""The pure parts of the guest library for Python, in plain Python."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from oriel_guest import (
    App,
    Conflict,
    Denied,
    Headers,
    HostError,
    Problem,
    Request,
    Response,
    json_response,
    log,
)
from oriel_guest.errors import host_error
from oriel_guest.messages import to_response


@pytest.fixture
def lines(monkeypatch):
    """What was logged, as (level, message, fields)."""
    found = []
    monkeypatch.setattr(log, "emit", lambda *line: found.append(line))
    return found


def answer(app, method, path, **more):
    return app.handler(Request(method, path, **more))


def test_literal_segments_win_over_parameters_whatever_the_order():
    app = App()
    app.get("/items/:id")(lambda request: request.params["id"])
    app.get("/items/new")(lambda _: "literal")
    assert answer(app, "GET", "/items/new").body == "literal"
    assert answer(app, "GET", "/items/7").body == "7"


def test_the_root_and_a_slash_at_the_end_are_the_same():
    app = App()
    app.get("/")(lambda _: "root")
    app.get("/a")(lambda _: "a")
    assert [answer(app, "GET", path).body for path in ("/", "", "/a", "/a/")] == ["root", "root", "a", "a"]


def test_a_second_function_for_the_same_route_is_an_error():
    app = App()
    app.get("/a/:id")(lambda _: None)
    with pytest.raises(ValueError, match="already"):
        app.get("/a/:name")


def test_what_a_function_returns_becomes_a_response():
    @dataclass
    class Item:
        at: datetime

    made = to_response([Item(datetime(2026, 1, 2, tzinfo=UTC))])
    assert made.body == '[{"at":"2026-01-02T00:00:00+00:00"}]'
    assert to_response(None).status == 204
    assert to_response(b"\x00").headers["content-type"] == "application/octet-stream"
    assert to_response("x").headers["content-type"] == "text/plain; charset=utf-8"
    same = Response("x", 201)
    assert to_response(same) is same


def test_a_value_that_json_cannot_hold_is_a_500_and_a_log_line(lines):
    app = App()
    app.get("/")(lambda _: object())
    assert answer(app, "GET", "/").status == 500
    assert "TypeError" in lines[0][1]


def test_an_exceptions_text_goes_to_the_log_and_not_to_the_caller(lines):
    app = App()

    @app.get("/")
    def broken(_):
        raise RuntimeError("inside")

    made = answer(app, "GET", "/")
    assert (made.status, "inside" in made.body) == (500, False)
    assert (lines[0][0], "RuntimeError: inside" in lines[0][1]) == ("error", True)


@pytest.mark.parametrize(
    ("kind", "status"), [("denied", 403), ("conflict", 409), ("unavailable", 503), ("timeout", 502), ("invalid", 500)]
)
def test_a_refusal_of_the_host_that_nobody_caught_has_its_own_status(lines, kind, status):
    app = App()

    @app.get("/")
    def refused(_):
        raise host_error(kind, "No.")

    made = answer(app, "GET", "/")
    assert (made.status, json.loads(made.body)["code"]) == (status, kind)
    assert lines[0][0] == "warn"


def test_errors_are_of_their_kinds_class_and_unknown_ones_of_the_base():
    assert isinstance(host_error("denied", ""), Denied)
    assert isinstance(host_error("conflict", ""), Conflict)
    assert type(host_error("something-new", "")) is HostError


def test_headers_keep_repeats_and_take_no_notice_of_case():
    headers = Headers([("X-Tag", "a"), ("x-tag", "b")])
    assert (headers["X-TAG"], headers.all("x-tag"), len(headers)) == ("a", ["a", "b"], 1)
    assert "X-Tag" in headers
    assert headers.get("none") is None


def test_a_content_type_of_the_authors_own_stays():
    assert Response("<p>", headers={"Content-Type": "text/html"}).headers.pairs() == [("content-type", "text/html")]
    assert json_response({}, headers={"x-ext-a": "1"}).headers.pairs() == [
        ("content-type", "application/json"),
        ("x-ext-a", "1"),
    ]


@pytest.mark.parametrize("body", [b"\xff", b"{", b"[1,]", b""])
def test_a_body_that_is_not_json_is_a_400(body):
    with pytest.raises(Problem) as caught:
        Request("POST", "/", body=body).json()
    assert caught.value.status == 400


def test_a_body_that_is_no_object_is_a_400_where_one_is_wanted():
    with pytest.raises(Problem):
        Request("POST", "/", body=b"[]").json_object()

import msgspec
import pytest

from oriel.contract import HttpRequest, Limits, body_fields
from oriel.errors import OrielError
from runner.exchange import MAX_HEADER_BYTES, from_guest, to_guest


def response(status=200, headers=(), body=("empty", None)):
    return {"status": status, "headers": [{"name": name, "value": value} for name, value in headers], "body": body}


def refusal(answer, **limits):
    with pytest.raises(OrielError) as refused:
        from_guest(answer, Limits(**limits))
    return refused.value


def test_query_and_repeated_headers_reach_the_guest_unchanged():
    asked = HttpRequest(
        method="GET",
        path="/reports/a%20b",
        query="a=1&a=2&&b",
        route="/reports/:id",
        params=(("id", "a b"),),
        headers=(("accept", "text/html"), ("accept", "*/*")),
    )
    seen = to_guest(asked)
    assert (seen["path"], seen["query"], seen["route"]) == ("/reports/a%20b", "a=1&a=2&&b", "/reports/:id")
    assert [line["value"] for line in seen["headers"]] == ["text/html", "*/*"]
    assert seen["params"] == [{"name": "id", "value": "a b"}]


def test_a_json_body_reaches_the_guest_as_text():
    json = (("content-type", "application/json"),)
    for form in ({"body_text": '{"a":1}'}, {"body_bytes": b'{"a":1}'}):
        assert to_guest(HttpRequest(method="POST", path="/", headers=json, **form))["body"] == ("text", '{"a":1}')


def test_a_byte_order_mark_reaches_the_guest():
    text = (("content-type", "text/plain"),)
    asked = HttpRequest(method="POST", path="/", headers=text, **body_fields("\ufeffa".encode()))
    assert to_guest(asked)["body"] == ("bytes", b"\xef\xbb\xbfa")


def test_a_body_that_is_not_base64_is_no_request():
    with pytest.raises(msgspec.ValidationError, match="base64"):
        HttpRequest.from_json(b'{"method": "POST", "path": "/", "body_b64": "a"}')


@pytest.mark.parametrize("status", [0, 99, 100, 199, 600, 65_535])
def test_a_status_outside_of_200_to_599_is_no_response(status):
    assert refusal(response(status)).code == "bad_response"


@pytest.mark.parametrize("status", [200, 301, 404, 418, 500, 599])
def test_a_guests_own_status_passes(status):
    assert from_guest(response(status), Limits()).status == status


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-a\r\nset-cookie", "1"),
        ("x a", "1"),
        ("", "1"),
        ("x-ä", "1"),
        ("x:a", "1"),
        ("x-a", "1\r\nset-cookie: b=1"),
        ("x-a", "1\n"),
        ("x-a", "\x00"),
        ("x-a", "\x7f"),
        ("x-a", "\u2028"),
        ("x-a", "☃"),
    ],
)
def test_a_header_that_http_does_not_allow_is_no_response(name, value):
    error = refusal(response(headers=[("x-ok", "1"), (name, value)]))
    assert error.code == "bad_response"
    assert error.detail.startswith("headers[1]: ")


def test_header_names_leave_in_lower_case_and_repeats_stay():
    answer = from_guest(response(headers=[("X-Ext-A", " 1 "), ("x-ext-a", "2")]), Limits())
    assert answer.headers == (("x-ext-a", "1"), ("x-ext-a", "2"))


def test_too_many_headers_are_too_large_an_output():
    assert refusal(response(headers=[("x-a", "1")] * 65)).code == "output_too_large"


def test_too_many_header_bytes_are_too_large_an_output():
    assert refusal(response(headers=[("x-a", "v" * MAX_HEADER_BYTES)])).code == "output_too_large"


@pytest.mark.parametrize("body", [("text", "x" * 11), ("bytes", b"x" * 11), ("base64", "eHh4" * 5), ("text", "ä" * 6)])
def test_a_body_over_the_limit_is_too_large_an_output(body):
    assert refusal(response(body=body), max_response_bytes=10).code == "output_too_large"


@pytest.mark.parametrize("body", [("text", "x" * 10), ("bytes", b"x" * 10), ("base64", "eHh4" * 3 + "eA==")])
def test_a_body_of_exactly_the_limit_passes_in_every_form(body):
    assert from_guest(response(body=body), Limits(max_response_bytes=10)).body == body_fields(b"x" * 10)


def test_broken_base64_is_no_response():
    assert refusal(response(body=("base64", "☃"))).code == "bad_response"


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_a_body_has_none(status):
    assert from_guest(response(status), Limits()).body == body_fields(b"")
    assert refusal(response(status, body=("text", "x"))).code == "bad_response"

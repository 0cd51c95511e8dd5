"""The messages between gateway and runner: bodies arrive as they were."""

import pytest

from oriel.contract import MAX_TEXT_BYTES, ExecuteResponse, HttpRequest, body_fields

BODIES = [b"", b"text", "Grüße ☃".encode(), b"\0\1\x1f", b"\xff\xfe", b"x" * (MAX_TEXT_BYTES + 1), b"\xed\xa0\x80"]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_arrives_as_it_was(body):
    request = HttpRequest(method="POST", path="/", **body_fields(body))
    assert HttpRequest.from_json(request.to_json()).body() == body
    response = ExecuteResponse(status=200, **body_fields(body))
    assert ExecuteResponse.from_json(response.to_json()).body() == body


def test_text_travels_as_text_and_the_rest_as_base64():
    assert body_fields(b"text") == {"body_text": "text", "body_bytes": b""}
    assert body_fields(b"\xff") == {"body_text": "", "body_bytes": b"\xff"}


def test_the_largest_text_is_small_in_an_envelope_whatever_json_makes_of_it():
    request = HttpRequest(method="POST", path="/", **body_fields(b"\1" * MAX_TEXT_BYTES))
    assert len(request.to_json()) < 700_000

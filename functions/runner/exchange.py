"""The request as the guest sees it, and the guest's answer as the gateway may have it.

Rules kept here:

- A body goes in as text where it is text, as bytes where it is small, else as base64 (`wit/types.wit`).
- An answer is judged before it leaves: a status of 200 to 599, names that are tokens and values without control
  characters (RFC 9110, section 5), within the execution's limits. What does not hold is the extension's fault and
  named as such; it is never mended in silence.
"""

import re
from typing import TypedDict

from msgspec import Struct

from oriel.contract import MAX_TEXT_BYTES, BodyFields, HttpRequest, Limits, body_fields
from oriel.errors import OrielError
from runner.host.bodies import NOT_BASE64, Body, from_bytes, from_text, least_size, to_bytes

MAX_HEADER_BYTES = 32_768
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_WITHOUT_BODY = frozenset({204, 205, 304})


class Pair(TypedDict):
    """`types.header` and `types.param`."""

    name: str
    value: str


class GuestRequest(TypedDict):
    """`types.request`."""

    method: str
    path: str
    query: str
    route: str
    params: list[Pair]
    headers: list[Pair]
    body: Body


class GuestResponse(TypedDict):
    """`types.response`."""

    status: int
    headers: list[Pair]
    body: Body


class Answer(Struct, frozen=True):
    """A guest's answer that has passed; its body in the form in which it travels on."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: BodyFields


def to_guest(http: HttpRequest) -> GuestRequest:
    """The request in the guest's form."""
    return {
        "method": http.method,
        "path": http.path,
        "query": http.query,
        "route": http.route,
        "params": [{"name": name, "value": value} for name, value in http.params],
        "headers": [{"name": name, "value": value} for name, value in http.headers],
        "body": _guest_body(http),
    }


def _guest_body(http: HttpRequest) -> Body:
    content_type = next((value for name, value in http.headers if name == "content-type"), "")
    return from_bytes(http.body_bytes, content_type) if http.body_bytes else from_text(http.body_text, content_type)


def largest_result(limits: Limits) -> int:
    """How much of an answer is unpacked at all, as `RunLimits.max_result_bytes` counts; `from_guest` is exact.

    Base64 takes four bytes for three of the body, and a header's record costs more than its text.
    """
    return 2 * limits.max_response_bytes + MAX_HEADER_BYTES + 256 * (limits.max_response_headers + 1)


def from_guest(response: GuestResponse, limits: Limits) -> Answer:
    """The answer, judged.

    Raises:
        OrielError: `bad_response`, `output_too_large`.
    """
    status = response["status"]
    if not 200 <= status <= 599:
        raise OrielError("bad_response", f"The status {status} is not from 200 to 599.")
    headers = _headers(response["headers"], limits.max_response_headers)
    body = _body(response["body"], limits.max_response_bytes)
    if any(body.values()) and status in _WITHOUT_BODY:
        raise OrielError("bad_response", f"An answer of status {status} has no body, and one came.")
    return Answer(status, headers, body)


def _headers(lines: list[Pair], limit: int) -> tuple[tuple[str, str], ...]:
    if len(lines) > limit:
        raise OrielError("output_too_large", f"{len(lines):,} headers came, and {limit:,} are allowed.")
    size = sum(len(line["name"]) + len(line["value"]) for line in lines)
    if size > MAX_HEADER_BYTES:
        raise OrielError("output_too_large", f"The headers have {size:,} bytes, and {MAX_HEADER_BYTES:,} are allowed.")
    return tuple(_header(at, line) for at, line in enumerate(lines))


def _header(at: int, line: Pair) -> tuple[str, str]:
    if not _TOKEN.fullmatch(line["name"]):
        raise OrielError("bad_response", f"headers[{at}]: the name is not one that HTTP allows.")
    if not _VALUE.fullmatch(line["value"]):
        raise OrielError("bad_response", f"headers[{at}]: the value has characters that HTTP does not allow.")
    return line["name"].lower(), line["value"].strip(" \t")


def _body(body: Body, limit: int) -> BodyFields:
    if (size := least_size(body)) > limit:  # before it is copied
        raise _too_large(size, limit)
    if body[0] == "text" and body[1].isascii() and len(body[1]) <= MAX_TEXT_BYTES:
        return {"body_text": body[1], "body_bytes": b""}
    try:
        data = to_bytes(body)
    except ValueError:
        raise OrielError("bad_response", f"body: {NOT_BASE64}.") from None
    if len(data) > limit:
        raise _too_large(len(data), limit)
    return body_fields(data)


def _too_large(size: int, limit: int) -> OrielError:
    return OrielError("output_too_large", f"The body has at least {size:,} bytes, and {limit:,} are allowed.")

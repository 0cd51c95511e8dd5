"""Headers of requests and answers, and what a redirect makes of a request.

Rules kept here:

- What frames or routes a message is the host's: a guest sets neither `host` nor lengths nor anything hop by hop.
- Names are tokens, values have no control characters: a header cannot grow another one.
- Behind a redirect to another origin, what identifies the sender stays behind.
"""

import re
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from runner.egress.content import ACCEPTED
from runner.egress.model import EgressError, Header, Outgoing
from runner.egress.urls import Origin

MAX_HEADERS: Final = 64
MAX_HEADER_BYTES: Final = 32_768
_HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_REFUSED: Final = _HOP_BY_HOP | {"host", "content-length", "expect", "http2-settings"}
_CREDENTIALS: Final = frozenset({"authorization", "cookie", "cookie2", "proxy-authorization"})
_METHOD = re.compile(r"[A-Z][A-Z0-9-]{0,31}")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,256}")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


def checked(request: Outgoing) -> Outgoing:
    """The request with its header names in lower case, its values trimmed.

    Raises:
        EgressError: `invalid-request`, naming the header and never its value.
    """
    if not _METHOD.fullmatch(request.method) or request.method in {"CONNECT", "TRACE"}:
        raise EgressError("invalid-request", "The method is not allowed; methods are written in upper case.")
    headers = tuple((name.lower(), value.strip(" \t")) for name, value in request.headers)
    if len(headers) > MAX_HEADERS:
        raise EgressError("invalid-request", f"{len(headers)} headers; at most {MAX_HEADERS} are allowed.")
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES:
        raise EgressError("invalid-request", f"The headers are over {MAX_HEADER_BYTES:,} bytes.")
    for at, (name, value) in enumerate(headers):
        _check(at, name, value)
    return replace(request, headers=headers)


def _check(at: int, name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise EgressError("invalid-request", f"headers[{at}]: the name is not a token.")
    if name in _REFUSED or name.startswith("proxy-"):
        raise EgressError("invalid-request", f"headers[{at}]: {name} is set by the host alone.")
    require_value(name, value)


def require_value(name: str, value: str) -> None:
    """`invalid-request` where the value has characters that no header carries."""
    if not _VALUE.fullmatch(value):
        raise EgressError("invalid-request", f"The header {name} holds control characters or is not Latin-1.")


def wire_headers(request: Outgoing, origin: Origin, user_agent: str) -> list[Header]:
    """All headers of a request, the host's own before the guest's."""
    names = {name for name, _ in request.headers}
    own = [("host", origin.authority)]
    if "user-agent" not in names:
        own.append(("user-agent", user_agent))
    if "accept-encoding" not in names:
        own.append(("accept-encoding", ACCEPTED))
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        own.append(("content-length", str(len(request.body))))
    return [*own, *request.headers]


def decoded_headers(headers: Iterable[tuple[bytes, bytes]], *, decoded: bool) -> tuple[Header, ...]:
    """An answer's headers for the guest: nothing hop by hop, and nothing that a decoded body makes untrue."""
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    listed = {part.strip().lower() for name, value in pairs if name == "connection" for part in value.split(",")}
    dropped = _HOP_BY_HOP | listed | ({"content-encoding", "content-length"} if decoded else set())
    return tuple((name, value) for name, value in pairs if name not in dropped and not name.startswith("proxy-"))


def location(status: int, headers: Iterable[Header]) -> str | None:
    """Where an answer redirects to; None where it does not."""
    if status not in _REDIRECTS:
        return None
    return next((value for name, value in headers if name == "location"), None)


def redirected(request: Outgoing, status: int, *, same_origin: bool, secret_headers: frozenset[str]) -> Outgoing:
    """The request that follows an answer of `status` (RFC 9110, section 15.4).

    To another origin, credentials and headers with secrets (`secret_headers`) are left out.
    """
    headers, method, body = request.headers, request.method, request.body
    if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):
        method, body = "GET", b""
        headers = tuple(header for header in headers if not header[0].startswith("content-"))
    if not same_origin:
        kept_back = _CREDENTIALS | secret_headers
        headers = tuple(header for header in headers if header[0] not in kept_back)
    return replace(request, method=method, headers=headers, body=body)

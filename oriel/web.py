"""What the FastAPI apps share beyond `oriel.asgi`: errors of validation, raw paths.

Rules kept here:

- Paths and queries are those of the wire. What the server decoded is used for finding the route and nothing else.
"""

from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from oriel import asgi
from oriel.asgi import RequestIds, problem_response, read_body, request_id
from oriel.errors import Finding, InvalidInput

__all__ = [
    "RequestIds",
    "install_error_handlers",
    "problem_response",
    "raw_headers",
    "raw_path",
    "raw_query",
    "read_body",
    "request_id",
]


def install_error_handlers(app: FastAPI) -> None:
    """Give `app` request ids and problem+json errors. Call it once, before the app serves."""
    asgi.install_error_handlers(app)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


def raw_path(request: Request) -> bytes:
    """The path as the client sent it, percent-encoded, without the query.

    A server that does not pass it on (ASGI allows that) has decoded it: encoding it again loses only what
    `clean_segments` would have refused, or read as the same segments.
    """
    raw: bytes | None = request.scope.get("raw_path")
    return raw if raw is not None else quote(request.scope["path"], safe="/:@!$&'()*+,;=~").encode()


def raw_query(request: Request) -> str:
    """What followed `?`, unchanged; bytes beyond ASCII as latin-1."""
    query: bytes = request.scope["query_string"]
    return query.decode("latin-1")


def raw_headers(request: Request) -> tuple[tuple[str, str], ...]:
    """All header lines in order, repeats included, names in lower case, values as latin-1."""
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what the handler is registered for
    findings = [Finding(_place(entry["loc"]), str(entry["msg"])) for entry in error.errors()]
    return problem_response(InvalidInput("invalid_input", findings, subject="The request"), request_id(request))


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location)

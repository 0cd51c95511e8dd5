"""What every app here shares: request ids, errors as problem+json, bounded bodies. Starlette and nothing more.

Rules kept here:

- Every answer carries `x-request-id`, an id made here. One that the client sends is not used.
- Every error leaves as RFC 9457 problem+json with `cache-control: no-store`. An exception that is not an
  `OrielError` is logged with its traceback and answered as `internal`, without a word of its text.
- A body is read up to a limit and within a time, whatever `content-length` says.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import anyio
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oriel.errors import PROBLEM_MEDIA_TYPE, OrielError
from oriel.ids import new_id
from oriel.telemetry import bind

BODY_SECONDS = 30.0
REQUEST_ID = "oriel.request_id"

_log = logging.getLogger(__name__)


def install_error_handlers(app: Starlette) -> None:
    """Give `app` request ids and problem+json errors. Call it once, before the app serves."""
    app.add_exception_handler(OrielError, _on_oriel_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_middleware(RequestIds)


class RequestIds:
    """ASGI middleware: an id for the request, on its log lines and its answer; the last stop for exceptions."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {}).setdefault(REQUEST_ID, new_id("req"))
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with bind(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                _log.exception("unexpected error")
                if started:  # half an answer is out: only a broken connection tells the client so
                    raise
                await problem_response(OrielError("internal"), request_id)(scope, receive, send_with_id)


def request_id(request: Request) -> str:
    """The id of the request in hand."""
    return str(request.scope.get("state", {}).get(REQUEST_ID, ""))


def problem_response(error: OrielError, for_request: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for an error; `headers` are added to its own."""
    return JSONResponse(
        error.problem(for_request),
        status_code=error.status,
        headers={**error.headers(), **(headers or {})},
        media_type=PROBLEM_MEDIA_TYPE,
    )


async def read_body(request: Request, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body, of at most `limit` bytes, within `seconds`.

    Raises:
        OrielError: `body_too_large`; `malformed_request`, where it does not come in time.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and len(announced) < 20 and int(announced) > limit:
        raise _too_large(limit)
    chunks, size = [], 0
    with anyio.move_on_after(seconds) as waiting:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
    if waiting.cancelled_caught:
        raise OrielError("malformed_request", f"The body was not complete after {seconds:g} seconds.")
    return b"".join(chunks)


def _too_large(limit: int) -> OrielError:
    return OrielError("body_too_large", f"The body has more than {limit:,} bytes, which is the limit.")


async def _on_oriel_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, OrielError)  # noqa: S101 - what the handler is registered for
    return problem_response(error, request_id(request))


_STATUS_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 401: "unauthenticated"}


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    fallback = "malformed_request" if error.status_code < 500 else "internal"
    answer = OrielError(_STATUS_CODES.get(error.status_code, fallback))
    return problem_response(answer, request_id(request), error.headers)


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody is left to read it

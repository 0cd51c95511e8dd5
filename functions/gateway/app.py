"""The gateway's web app: FastAPI around `gateway.core`.

Rules kept here:

- The path is taken from the wire (`raw_path`), and so are query and headers. FastAPI's own decoding finds the route
  and nothing else.
- The body is read within a limit before a thread is taken. Threads are bounded, and so are the requests that wait for
  one or are still being read: who comes beyond that gets `overloaded` at once.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from gateway.core import Gateway
from gateway.description import describe
from gateway.messages import GatewayRequest, GatewayResponse, target_of
from gateway.sessions import add_session_routes
from oriel.errors import OrielError
from oriel.web import install_error_handlers, raw_headers, raw_path, raw_query, read_body, request_id

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
THREADS = 64
MAX_WAITING = 256


def create_app(gateway: Gateway, *, threads: int = THREADS, max_waiting: int = MAX_WAITING) -> FastAPI:
    """The app. It closes `gateway` when it shuts down.

    Args:
        threads: requests that are in the gateway at once.
        max_waiting: requests beyond these that are being read or wait.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await anyio.to_thread.run_sync(gateway.close)

    app = FastAPI(title="Oriel gateway", docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    install_error_handlers(app)
    running, places = CapacityLimiter(threads), CapacityLimiter(threads + max_waiting)

    async def call(request: Request) -> Response:
        try:
            places.acquire_on_behalf_of_nowait(request)
        except anyio.WouldBlock:
            raise OrielError("overloaded", "The gateway has as many requests as it can take.", retry_after=1) from None
        try:
            return await answer(request)
        finally:
            places.release_on_behalf_of(request)

    async def answer(request: Request) -> Response:
        extension_id, path = target_of(raw_path(request))
        asked = GatewayRequest(
            request_id=request_id(request),
            method=request.method,
            extension_id=extension_id,
            path=path,
            query=raw_query(request),
            headers=raw_headers(request),
            body=await read_body(request, gateway.max_body_bytes),
        )
        return _response(await anyio.to_thread.run_sync(gateway.handle, asked, limiter=running))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    add_session_routes(app, gateway, running)
    for path in ("/api/ext/{extension_id}", "/api/ext/{extension_id}/{path:path}"):
        app.add_route(path, call, methods=METHODS)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign] # FastAPI's documented way to extend it
    return app


def _response(answer: GatewayResponse) -> Response:
    response = Response(answer.body, status_code=answer.status)
    given = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    named = {name for name, _ in given}
    response.raw_headers = [header for header in response.raw_headers if header[0] not in named] + given
    return response

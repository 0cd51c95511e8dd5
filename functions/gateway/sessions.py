"""The routes of session tokens: a user's page asks for one, an extension's backend fetches the key that verifies it.

POST /api/ext-session             {"extension_id": "com.acme.reports"} → {"token", "expires_at"}
GET  /api/ext-session/jwks.json   the public key
"""

import anyio
from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.core import Gateway
from gateway.messages import KEYS_HEADERS, SESSION_PATH, GatewayRequest, GatewayResponse, SessionAsk
from oriel.errors import OrielError
from oriel.identity.session import KEYS_PATH
from oriel.web import raw_headers, read_body, request_id

MAX_BODY_BYTES = 4_096


def add_session_routes(app: FastAPI, gateway: Gateway, running: CapacityLimiter) -> None:
    """Add both routes; `running` bounds the threads, as it does for calls."""

    async def session(request: Request) -> Response:
        body = await read_body(request, MAX_BODY_BYTES)
        asked = GatewayRequest(
            request_id=request_id(request),
            method=request.method,
            extension_id="" if request.method == "OPTIONS" else SessionAsk.of(body).extension_id,
            path="/",
            headers=raw_headers(request),
        )
        return _response(await anyio.to_thread.run_sync(gateway.session, asked, limiter=running))

    async def keys(_request: Request) -> Response:
        if gateway.sessions is None:
            raise OrielError("not_found", "This platform gives no session tokens.")
        return JSONResponse(gateway.sessions.jwks(), headers=dict(KEYS_HEADERS))

    app.add_route(SESSION_PATH, session, methods=["POST", "OPTIONS"])
    app.add_route(KEYS_PATH, keys, methods=["GET"])


def _response(answer: GatewayResponse) -> Response:
    response = Response(answer.body, status_code=answer.status)
    for name, value in answer.headers:
        response.headers.append(name, value)
    return response

"""The runner over HTTP: `POST /v1/execute` and `GET /healthz`.

Rules kept here:

- Only the gateway may call: a service token covers the whole body, and its claims must name the same tenant,
  install, extension, bundle and execution as the body does. What the token says is believed; a body that says
  otherwise is refused. So is a header `x-alga-tenant` or `x-alga-extension` that does.
- A body is bounded before it is read, and verified before it is parsed.
- 200 means that there is a receipt; whether the guest answered stands in `error`. What never began is a problem.
"""

import asyncio
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oriel.asgi import install_error_handlers, read_body
from oriel.contract import ExecuteRequest, ExecuteResponse, ExecutionContext
from oriel.errors import OrielError
from oriel.identity import ServiceTokenVerifier
from runner.calls import admitted
from runner.core import Runner

EXECUTE: Final = "/v1/execute"
BASE64_GROWTH: Final = 4 / 3
ENVELOPE_BYTES: Final = 1_000_000  # headers, configuration, sealed secrets


def create_app(runner: Runner, verifier: ServiceTokenVerifier, *, max_body_bytes: int) -> Starlette:
    """The app over `runner`, which stays the caller's to close.

    Args:
        max_body_bytes: of a guest's request body, as the gateway limits it; in the envelope it is base64.
    """
    limit = int(max_body_bytes * BASE64_GROWTH) + ENVELOPE_BYTES

    async def execute(request: Request) -> Response:
        body = await read_body(request, limit)
        asked = admitted(verifier, _token(request), body)
        _require_same(request, asked.context)
        answer = await _answer(runner, asked)
        return Response(answer.to_json(), media_type="application/json")

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    app = Starlette(routes=[Route(EXECUTE, execute, methods=["POST"]), Route("/healthz", healthz)])
    install_error_handlers(app)
    return app


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise OrielError("untrusted_caller", "The request carries no service token.")
    return token.strip()


def _require_same(request: Request, context: ExecutionContext) -> None:
    for header, value in (("x-alga-tenant", context.tenant_id), ("x-alga-extension", context.extension_id)):
        if any(given != value for given in request.headers.getlist(header)):
            raise OrielError("untrusted_caller", f"The header '{header}' is not the service token's.")


async def _answer(runner: Runner, asked: ExecuteRequest) -> ExecuteResponse:
    """The execution's answer; where its time is up before a thread was free, it is taken back and never runs."""
    future = runner.submit(asked)
    answer = asyncio.wrap_future(future)
    done, _ = await asyncio.wait({answer}, timeout=asked.limits.timeout_ms / 1000)
    if not done and future.cancel():
        raise OrielError("deadline_exceeded", "The request waited for a free thread until its time was up.")
    return await answer

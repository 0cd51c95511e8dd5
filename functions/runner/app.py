"""The runner over HTTP: `POST /v1/execute` and `GET /healthz`.

Rules kept here:

- Only the gateway may call: a service token covers the whole body, and its claims must name the same tenant,
  install, extension, bundle and execution as the body does. What the token says is believed; a body that says
  otherwise is refused.
- A body is bounded before it is read, and verified before it is parsed.
- 200 means that there is a receipt; whether the guest answered stands in `error`. What never began is a problem.
"""

import asyncio
from typing import Final

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError

from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.errors import Finding, InvalidInput, OrielError
from oriel.identity import ServiceTokenVerifier
from oriel.web import install_error_handlers, read_body
from runner.core import Runner

BASE64_GROWTH: Final = 4 / 3
ENVELOPE_BYTES: Final = 1_000_000  # headers, configuration, sealed secrets


def create_app(runner: Runner, verifier: ServiceTokenVerifier, *, max_body_bytes: int) -> FastAPI:
    """The app over `runner`, which stays the caller's to close.

    Args:
        max_body_bytes: of a guest's request body, as the gateway limits it; in the envelope it is base64.
    """
    app = FastAPI(title="Oriel runner", docs_url=None, redoc_url=None, openapi_url=None)
    install_error_handlers(app)
    limit = int(max_body_bytes * BASE64_GROWTH) + ENVELOPE_BYTES

    @app.post("/v1/execute")
    async def execute(request: Request) -> Response:
        body = await read_body(request, limit)
        claims = verifier.verify(_token(request), body)
        asked = _parse(body)
        claims.require_same(asked.context)
        answer = await _answer(runner, asked)
        return Response(answer.model_dump_json(), media_type="application/json")

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise OrielError("untrusted_caller", "The request carries no service token.")
    return token.strip()


def _parse(body: bytes) -> ExecuteRequest:
    try:
        return ExecuteRequest.model_validate_json(body)
    except ValidationError as error:
        findings = [
            Finding(".".join(map(str, entry["loc"])), entry["msg"])
            for entry in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidInput("malformed_request", findings, subject="The body") from None


async def _answer(runner: Runner, asked: ExecuteRequest) -> ExecuteResponse:
    """The execution's answer; where its time is up before a thread was free, it is taken back and never runs."""
    future = runner.submit(asked)
    answer = asyncio.wrap_future(future)
    done, _ = await asyncio.wait({answer}, timeout=asked.limits.timeout_ms / 1000)
    if not done and future.cancel():
        raise OrielError("deadline_exceeded", "The request waited for a free thread until its time was up.")
    return await answer

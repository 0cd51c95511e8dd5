"""The OpenAPI description of the gateway: one path, every method, whatever extension stands behind it."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.messages import SESSION_PATH, SessionAsk
from oriel import __version__
from oriel.errors import PROBLEM_MEDIA_TYPE, PROBLEM_SCHEMA

PATH = "/api/ext/{extension_id}/{path}"
_READS = ("get", "head")
_WRITES = ("post", "put", "patch", "delete")


def describe(app: FastAPI) -> dict[str, Any]:
    """The description, with what FastAPI knows of the other routes."""
    described = get_openapi(title=app.title, version=__version__, routes=app.routes)
    described["paths"][PATH] = {
        "parameters": [_parameter("extension_id"), _parameter("path")],
        **{method: _operation(method) for method in (*_READS, *_WRITES)},
    }
    described["paths"][SESSION_PATH] = {"post": _session()}
    components = described.setdefault("components", {})
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    components.setdefault("schemas", {})["Problem"] = dict(PROBLEM_SCHEMA)
    return described


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _operation(method: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"call_extension_{method}",
        "summary": "Call an endpoint that the extension's manifest declares",
        "security": [{"bearer": []}],
        "responses": {
            "default": {
                "description": "The extension's own answer, whatever its status; or the platform's refusal.",
                "headers": {"x-request-id": {"schema": {"type": "string"}}},
                "content": {
                    "*/*": {"schema": {}},
                    PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
                },
            }
        },
    }
    if method in _WRITES:
        operation["requestBody"] = {"content": {"*/*": {"schema": {}}}}
    return operation


def session_ask() -> dict[str, Any]:
    """The JSON Schema of what a session token is asked with."""
    schema: dict[str, Any] = msgspec.json.schema_components([SessionAsk])[1]["SessionAsk"]
    return schema


def _session() -> dict[str, Any]:
    answer = {
        "type": "object",
        "required": ["token", "expires_at"],
        "properties": {"token": {"type": "string"}, "expires_at": {"type": "integer", "description": "Unix ms"}},
    }
    return {
        "operationId": "mint_session_token",
        "summary": "A token with which an extension's own backend can tell who is there",
        "security": [{"bearer": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": session_ask()}}},
        "responses": {"200": {"description": "The token", "content": {"application/json": {"schema": answer}}}},
    }

"""The OpenAPI description of the runner: one call, from the messages themselves. The runner does not serve it."""

from typing import Any

import msgspec

from oriel import __version__
from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.errors import PROBLEM_MEDIA_TYPE, PROBLEM_SCHEMA
from runner.app import EXECUTE

_REFERENCE = "#/components/schemas/{name}"


def describe() -> dict[str, Any]:
    """The description. Whoever calls is the gateway; its token covers the body."""
    (asked, answered), schemas = msgspec.json.schema_components(
        [ExecuteRequest, ExecuteResponse], ref_template=_REFERENCE
    )
    problem = {"description": "Nothing ran.", "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": _problem()}}}}
    receipt = {
        "description": "There is a receipt, also of a failure.",
        "content": {"application/json": {"schema": answered}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Oriel runner", "version": __version__},
        "paths": {
            EXECUTE: {
                "post": {
                    "operationId": "execute",
                    "security": [{"service": []}],
                    "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
                    "responses": {"200": receipt, "default": problem},
                }
            }
        },
        "components": {
            "schemas": {**schemas, "Problem": dict(PROBLEM_SCHEMA)},
            "securitySchemes": {"service": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _problem() -> str:
    return _REFERENCE.format(name="Problem")

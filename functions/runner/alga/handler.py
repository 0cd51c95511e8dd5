"""The way into a component of `alga:extension`: `handler: func(execute-request) -> execute-response`."""

from typing import Any

from oriel.errors import OrielError
from runner.execution import Execution
from runner.host.bodies import EMPTY, to_bytes

MAX_BODY_BYTES = 2_500_000  # a body is a `list<u8>` here, and the engine carries no more than 2.7 MB of one


class AlgaCall:
    """One call. `OrielError("body_too_large")` where the request's body is more than a `list<u8>` carries."""

    __slots__ = ("arguments",)

    def __init__(self, request: dict[str, Any], execution: Execution) -> None:
        body = to_bytes(request["body"])
        if len(body) > MAX_BODY_BYTES:
            raise OrielError("body_too_large", f"This extension takes bodies of up to {MAX_BODY_BYTES:,} bytes.")
        path, query = request["path"], request["query"]
        http = {
            "method": request["method"],
            "url": f"{path}?{query}" if query else path,
            "headers": request["headers"],
            "body": body or None,
        }
        self.arguments = ({"context": context_data(execution), "http": http},)

    def answer(self, returned: Any) -> dict[str, Any]:
        """`types.response` of Oriel's own package."""
        body = returned["body"]
        return {
            "status": returned["status"],
            "headers": returned["headers"],
            "body": ("bytes", body) if body else EMPTY,
        }


def context_data(execution: Execution) -> dict[str, Any]:
    """`context-data`, as the execute call gave it."""
    context = execution.context
    return {
        "request_id": context.request_id,
        "tenant_id": context.tenant_id,
        "extension_id": context.extension_id,
        "install_id": context.install_id,
        "version_id": context.version_id,
    }

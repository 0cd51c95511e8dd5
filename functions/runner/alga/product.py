"""`ui-proxy`, `invoicing`, `clients` and `services` of `alga:extension`: operations of the host product.

| function | operation | input | answer |
|---|---|---|---|
| `call-route` | `ui.call-route` | `route`, `method`, `payload_b64` | `body_b64` |
| `create-manual-invoice` | `invoices.create-manual` | the record | the result record; `success` may be left out |
| `list-clients`, `list-services` | `clients.list`, `services.list` | the record, with its page | the result record |
| `get-client`, `get-service` | `clients.get`, `services.get` | `id` | the summary, or null; 404 means null too |

Rules kept here:

- The capability opens the operation; the operator declares it like any other (`oriel.operations`).
- Pages and routes are checked before anything is sent.
- What the product answers is held against the interface's types; what does not fit is `internal`, and its place is in
  the extension's log.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from oriel.engine.alga import PREFIX, alga_types
from oriel.engine.types import Result, Type
from oriel.errors import OrielError
from runner.alga.handler import MAX_BODY_BYTES
from runner.alga.shapes import Mismatch, from_json, to_json
from runner.execution import Execution
from runner.host import log
from runner.host.product import perform
from runner.product_error import ProductError

FIRST_PAGE, PAGE_SIZE, LARGEST_PAGE = 1, 25, 100

_READ_ERRORS: Final[Mapping[str, str]] = {"denied": "not-allowed", "invalid-input": "invalid-input"}
_ROUTE_ERRORS: Final[Mapping[str, str]] = {"denied": "denied", "invalid-input": "bad-request"}


class _Failed(Exception):
    """An operation without an answer that can be used."""

    def __init__(self, case: str, detail: str, status: int = 0, problem: Mapping[str, Any] | None = None) -> None:
        self.case, self.detail, self.status, self.problem = case, detail, status, problem or {}
        super().__init__(detail)


def call_route(execution: Execution, route: str, payload: bytes | None) -> Any:
    if not _is_route(route):
        return ("err", "bad-request")
    message = {"route": route, "method": "GET" if payload is None else "POST"}
    if payload is not None:
        message["payload_b64"] = base64.b64encode(payload).decode()
    try:
        answer = _perform(execution, "ui.call-route", message)
        return ("ok", _bytes(answer))
    except _Failed as failed:
        return ("err", "route-not-found" if failed.status == 404 else _ROUTE_ERRORS.get(failed.case, "internal"))


def create_manual_invoice(execution: Execution, input_: dict[str, Any]) -> dict[str, Any]:
    function = alga_types()[f"{PREFIX}invoicing"]["create-manual-invoice"]
    try:
        message = to_json(function.params[0][1], input_)
        answer = _perform(execution, "invoices.create-manual", message)
        if not isinstance(answer, dict) or function.result is None:
            raise _Failed("internal", "The product's answer is not an object.")
        result: dict[str, Any] = _read(function.result, {"success": True, **answer})
    except Mismatch as mismatch:
        return invoice_refused(f"The {mismatch}.")
    except _Failed as failed:
        fields = failed.problem.get("field_errors")
        return invoice_refused(failed.detail, None if fields is None else json.dumps(fields))
    return result


def invoice_refused(reason: str, field_errors: str | None = None) -> dict[str, Any]:
    """`create-manual-invoice-result` of an invoice that was not made."""
    nothing = dict.fromkeys(("invoice_id", "invoice_number", "status", "subtotal", "tax", "total"))
    return {"success": False, **nothing, "error": reason, "field_errors": field_errors}


def listing(interface: str, function: str, operation: str) -> Callable[[Execution, dict[str, Any]], Any]:
    """`list-clients` or `list-services`."""

    def call(execution: Execution, input_: dict[str, Any]) -> Any:
        page = FIRST_PAGE if input_["page"] is None else input_["page"]
        size = PAGE_SIZE if input_["page_size"] is None else input_["page_size"]
        if page < 1 or not 1 <= size <= LARGEST_PAGE:
            return ("err", "invalid-input")
        type_ = alga_types()[f"{PREFIX}{interface}"][function]
        message = to_json(type_.params[0][1], {**input_, "page": page, "page_size": size})
        return _result(execution, operation, message, _ok(type_.result))

    return call


def getting(interface: str, function: str, operation: str) -> Callable[[Execution, str], Any]:
    """`get-client` or `get-service`."""

    def call(execution: Execution, id_: str) -> Any:
        type_ = _ok(alga_types()[f"{PREFIX}{interface}"][function].result)
        return _result(execution, operation, {"id": id_}, type_, missing=("ok", None))

    return call


def _result(execution: Execution, operation: str, message: Any, type_: Type, missing: Any = None) -> Any:
    try:
        return ("ok", _read(type_, _perform(execution, operation, message)))
    except _Failed as failed:
        if failed.status == 404 and missing is not None:
            return missing
        return ("err", _READ_ERRORS.get(failed.case, "internal"))


def _perform(execution: Execution, operation: str, message: Any) -> Any:
    """The operation's answer; why there is none stands in the extension's log too."""
    try:
        return json.loads(perform(execution, operation, message))
    except ProductError as error:
        failed = _Failed(error.case, error.detail, error.status, error.problem)
    except OrielError as error:
        if error.code != "host_budget_exceeded":
            raise
        failed = _Failed("internal", error.detail)
    log.emit(execution, "warn", f"{operation}: {failed.detail}", [{"name": "kind", "value": failed.case}])
    raise failed


def _read(type_: Type, answer: Any) -> Any:
    try:
        return from_json(type_, answer)
    except Mismatch as mismatch:
        raise _Failed("internal", f"The product's {mismatch}.") from None


def _ok(type_: Type | None) -> Type:
    if not isinstance(type_, Result) or type_.ok is None:
        raise TypeError(f"{type_} has no value")
    return type_.ok


def _bytes(answer: Any) -> bytes:
    body = answer.get("body_b64", "") if isinstance(answer, dict) else None
    try:
        data = base64.b64decode(body or "", validate=True)
    except (TypeError, ValueError):
        raise _Failed("internal", "The product's answer has no body_b64 that can be read.") from None
    if body is None or len(data) > MAX_BODY_BYTES:
        raise _Failed("internal", "The product's answer has no body, or one that is too large.")
    return data


def _is_route(route: str) -> bool:
    """Not blank, and no segment of it leads elsewhere, however it is written."""
    path = route.partition("?")[0]
    segments = [unquote(segment) for segment in path.replace("\\", "/").split("/")]
    nested = [part for segment in segments for part in segment.replace("\\", "/").split("/")]
    return bool(route.strip()) and not {".", ".."} & set(nested)

"""`context`, `logging`, `user`, `user-v2`, `secrets` and `http` of `alga:extension`."""

from collections.abc import Mapping
from typing import Any, Final

from oriel.errors import OrielError
from runner.alga.handler import MAX_BODY_BYTES, context_data
from runner.execution import Execution
from runner.host import http, log
from runner.host.bodies import from_bytes, to_bytes

_HTTP_ERRORS: Final[Mapping[str, str]] = {
    "invalid-request": "invalid-url",
    "denied": "not-allowed",
    "budget-exceeded": "internal",
}


def get_context(execution: Execution) -> dict[str, Any]:
    return context_data(execution)


def log_info(execution: Execution, message: str) -> None:
    log.emit(execution, "info", message, [])


def log_warn(execution: Execution, message: str) -> None:
    log.emit(execution, "warn", message, [])


def log_error(execution: Execution, message: str) -> None:
    log.emit(execution, "error", message, [])


def get_user(execution: Execution) -> Any:
    user = execution.user
    if user is None:
        return ("err", "not-available")
    return (
        "ok",
        {
            "tenant_id": execution.context.tenant_id,
            "client_name": user.company,
            "user_id": user.id,
            "user_email": user.email or "",
            "user_name": user.name or "",
            "user_type": user.type or "",
        },
    )


def get_user_v2(execution: Execution) -> Any:
    outcome, value = get_user(execution)
    user = execution.user
    if user is None:
        return (outcome, value)
    fields = sorted(user.additional_fields.items())
    return (outcome, {**value, "client_id": user.client_id, "additional_fields": fields})


def get_secret(execution: Execution, key: str) -> Any:
    if execution.secrets.hosts(key) is None:
        return ("err", "missing")
    if not execution.secrets.may_be_read(key):
        return ("err", "denied")
    try:
        return ("ok", execution.secrets.value(key))
    except OrielError:
        return ("err", "internal")


def list_keys(execution: Execution) -> list[str]:
    return execution.secrets.names()


def fetch(execution: Execution, request: dict[str, Any]) -> Any:
    outgoing: http.OutgoingRecord = {
        "method": request["method"].upper(),
        "url": request["url"],
        "headers": request["headers"],
        "body": from_bytes(request["body"] or b""),
    }
    options: http.OptionsRecord = {"timeout_ms": None, "redirects": 0, "max_body_bytes": MAX_BODY_BYTES}
    result = http.fetch(execution, outgoing, options)
    if result[0] == "err":
        case, message = result[1]
        log.emit(execution, "warn", f"http.fetch: {message}", [])
        return ("err", _HTTP_ERRORS.get(case, "transport"))
    answer = result[1]
    body = to_bytes(answer["body"])
    return ("ok", {"status": answer["status"], "headers": answer["headers"], "body": body or None})

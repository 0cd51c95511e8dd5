"""The one table of `alga:extension`: which functions there are, what each needs, and its answer without.

It stands apart from Oriel's own table and goes through the same guard: a function that is not here cannot be called,
and one that needs a grant is not reached without it.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from oriel.capabilities import ALWAYS
from oriel.engine.alga import PREFIX
from runner.alga import basics, product, scheduler, storage
from runner.host.guard import guarded
from runner.linking import HostFunction

ALWAYS_THERE = ALWAYS | {"user.read"}
Denial = Callable[[str], Any]


class Row(Struct, frozen=True):
    """One function. `denied` is its answer without `capability`; None for what is always there."""

    interface: str
    name: str
    capability: str
    call: Callable[..., Any]
    denied: Denial | None = None
    counted: bool = True


def error(case: str) -> Denial:
    """The denial of a function that answers a result."""
    return lambda _capability: ("err", case)


def failure(*others: str) -> Denial:
    """The denial of a function that answers a record: the reason in `error`, and nothing in `others`."""

    def denied(capability: str) -> dict[str, Any]:
        return {"success": False, **dict.fromkeys(others), "error": f"The tenant has not granted {capability}."}

    return denied


def _nothing(_capability: str) -> list[str]:
    return []


def _invoice(capability: str) -> dict[str, Any]:
    return product.invoice_refused(f"The tenant has not granted {capability}.")


DENIED, NOT_ALLOWED = error("denied"), error("not-allowed")
CLIENTS, SERVICES, SCHEDULES = "client.read", "service.read", "schedule.manage"

_LIST_CLIENTS = product.listing("clients", "list-clients", "clients.list")
_GET_CLIENT = product.getting("clients", "get-client", "clients.get")
_LIST_SERVICES = product.listing("services", "list-services", "services.list")
_GET_SERVICE = product.getting("services", "get-service", "services.get")

TABLE: tuple[Row, ...] = (
    Row("context", "get-context", "context.read", basics.get_context),
    Row("logging", "log-info", "log.emit", basics.log_info, counted=False),
    Row("logging", "log-warn", "log.emit", basics.log_warn, counted=False),
    Row("logging", "log-error", "log.emit", basics.log_error, counted=False),
    Row("user", "get-user", "user.read", basics.get_user),
    Row("user-v2", "get-user", "user.read", basics.get_user_v2),
    Row("secrets", "get", "secrets.get", basics.get_secret, DENIED),
    Row("secrets", "list-keys", "secrets.get", basics.list_keys, _nothing),
    Row("http", "fetch", "http.fetch", basics.fetch, NOT_ALLOWED),
    Row("storage", "get", "storage.kv", storage.get, DENIED),
    Row("storage", "put", "storage.kv", storage.put, DENIED),
    Row("storage", "delete", "storage.kv", storage.delete, DENIED),
    Row("storage", "list-entries", "storage.kv", storage.list_entries, DENIED),
    Row("ui-proxy", "call-route", "ui.proxy", product.call_route, DENIED),
    Row("invoicing", "create-manual-invoice", "invoice.manual.create", product.create_manual_invoice, _invoice),
    Row("clients", "list-clients", CLIENTS, _LIST_CLIENTS, NOT_ALLOWED),
    Row("clients", "get-client", CLIENTS, _GET_CLIENT, NOT_ALLOWED),
    Row("services", "list-services", SERVICES, _LIST_SERVICES, NOT_ALLOWED),
    Row("services", "get-service", SERVICES, _GET_SERVICE, NOT_ALLOWED),
    Row("scheduler", "list-schedules", SCHEDULES, scheduler.list_schedules, DENIED),
    Row("scheduler", "get-schedule", SCHEDULES, scheduler.get_schedule, DENIED),
    Row("scheduler", "get-endpoints", SCHEDULES, scheduler.get_endpoints, DENIED),
    Row("scheduler", "create-schedule", SCHEDULES, scheduler.create_schedule, failure("schedule_id", "field_errors")),
    Row("scheduler", "update-schedule", SCHEDULES, scheduler.update_schedule, failure("field_errors")),
    Row("scheduler", "delete-schedule", SCHEDULES, scheduler.delete_schedule, failure()),
)


def host_functions() -> tuple[HostFunction, ...]:
    """The table as the sandbox links it."""
    return tuple(HostFunction(PREFIX + row.interface, row.name, _guarded(row)) for row in TABLE)


def _guarded(row: Row) -> Callable[..., Any]:
    if (row.denied is None) != (row.capability in ALWAYS_THERE):
        raise ValueError(f"{row.interface}.{row.name}: a denial is for what needs a grant, and only for that")
    place = f"{PREFIX}{row.interface}.{row.name}"
    return guarded(place, row.call, row.capability, row.denied, counted=row.counted)

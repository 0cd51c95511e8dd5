"""`scheduler` of `alga:extension`: schedules by their ids, over the same schedules as Oriel's own interface.

Rules kept here:

- An endpoint is known by its method and path, `POST /digest`, which is also its id. A bare path means POST.
- A component sees every schedule of its install. It changes those that it has made; any other is not there for it.
- What the record-returning functions refuse stands in `error`, and by field in `field-errors`.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec

from oriel.errors import InvalidInput, OrielError
from oriel.ids import new_id
from oriel.scheduling import is_schedulable, parsed
from oriel.store.event_records import Schedule, ScheduleRun
from runner.execution import Execution
from runner.host.schedule import OWN, owner, payload, scheduling

P = ParamSpec("P")

_CASES = {
    "not_found": "not-found",
    "invalid_schedule": "validation-failed",
    "conflict": "validation-failed",
    "quota_exceeded": "quota-exceeded",
}
_UNNAMED = re.compile(r"[^a-z0-9]+")
_FIELDS = {"cron": "cron", "timezone": "timezone", "enabled": "enabled", "name": "name"}


def _typed(function: Callable[Concatenate[Execution, P], Any]) -> Callable[Concatenate[Execution, P], Any]:
    def call(execution: Execution, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return ("ok", function(execution, *args, **kwargs))
        except OrielError as error:
            return ("err", _CASES.get(error.code, "internal"))

    return call


@_typed
def list_schedules(execution: Execution) -> list[dict[str, Any]]:
    context = execution.context
    return [_info(execution, one) for one in scheduling(execution).of_install(context.tenant_id, context.install_id)]


@_typed
def get_schedule(execution: Execution, schedule_id: str) -> dict[str, Any] | None:
    found = _own(execution, schedule_id)
    return None if found is None else _info(execution, found)


@_typed
def get_endpoints(execution: Execution) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{one.method} {one.path}",
            "method": one.method,
            "path": one.path,
            "handler": "handler",
            "schedulable": is_schedulable(one),
        }
        for one in execution.endpoints
    ]


def create_schedule(execution: Execution, given: dict[str, Any]) -> dict[str, Any]:
    try:
        fields = _fields(given)
        fields["name"] = _slug(fields.get("name") or f"schedule-{new_id('s')[-12:]}")
        made = scheduling(execution).create(owner(execution), parsed(fields), OWN, execution.context.extension_id)
    except OrielError as error:
        return {"success": False, "schedule_id": None, **_refusal(error)}
    return {"success": True, "schedule_id": made.schedule_id, "error": None, "field_errors": None}


def update_schedule(execution: Execution, schedule_id: str, given: dict[str, Any]) -> dict[str, Any]:
    try:
        _require_own(execution, schedule_id)
        scheduling(execution).change(owner(execution), schedule_id, _fields(given))
    except OrielError as error:
        return {"success": False, **_refusal(error)}
    return {"success": True, "error": None, "field_errors": None}


def delete_schedule(execution: Execution, schedule_id: str) -> dict[str, Any]:
    try:
        _require_own(execution, schedule_id)
        scheduling(execution).delete(execution.context.tenant_id, schedule_id)
    except OrielError as error:
        return {"success": False, "error": error.detail}
    return {"success": True, "error": None}


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a definition that an input names."""
    fields = {name: given[wit] for wit, name in _FIELDS.items() if given[wit] is not None}
    if "name" in fields:
        fields["name"] = _slug(fields["name"])
    if given["payload"] is not None:
        fields["payload"] = payload(given["payload"])
    if given["endpoint"] is not None:
        method, _, path = given["endpoint"].rpartition(" ")
        fields |= {"method": method or "POST", "path": path}
    return fields


def _slug(name: str) -> str:
    """A name that a schedule may have, of what a component calls it."""
    return _UNNAMED.sub("-", name.lower()).strip("-")[:63].rstrip("-") or "schedule"


def _own(execution: Execution, schedule_id: str) -> Schedule | None:
    """A schedule of this install."""
    found = scheduling(execution).find(execution.context.tenant_id, schedule_id)
    return found if found is not None and found.install_id == execution.context.install_id else None


def _require_own(execution: Execution, schedule_id: str) -> None:
    found = _own(execution, schedule_id)
    if found is None or found.origin != OWN:
        raise OrielError("not_found", f"The extension has no schedule {schedule_id} of its own.")


def _refusal(error: OrielError) -> dict[str, Any]:
    by_field: dict[str, str] = {}
    if isinstance(error, InvalidInput):
        by_field = {"endpoint" if one.at in {"path", "method"} else one.at: one.message for one in error.findings}
    return {"error": error.detail, "field_errors": json.dumps(by_field) if by_field else None}


def _info(execution: Execution, schedule: Schedule) -> dict[str, Any]:
    last = scheduling(execution).last_run(schedule)
    return {
        "id": schedule.schedule_id,
        "endpoint_path": schedule.path,
        "endpoint_method": schedule.method,
        "name": schedule.name,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "enabled": schedule.enabled,
        "payload": None if schedule.payload is None else json.dumps(schedule.payload),
        **_told(last),
        "created_at": _time(schedule.created_at),
    }


def _told(run: ScheduleRun | None) -> dict[str, str | None]:
    return {
        "last_run_at": None if run is None else _time(run.started_at or run.created_at),
        "last_run_status": None if run is None else run.state,
        "last_error": None if run is None else run.reason,
    }


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")

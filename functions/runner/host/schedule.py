"""`oriel:extension/schedule`: when the extension's own endpoints are called.

Rules kept here: a guest sees every schedule of its install, and changes those alone that it has made itself.
"""

import json
from collections.abc import Callable
from typing import Any, Concatenate, Literal, ParamSpec, TypeAlias, TypedDict, TypeVar

from oriel import strict_json
from oriel.clock import now_ms
from oriel.errors import Finding, InvalidInput, OrielError
from oriel.scheduling import Owner, Scheduling, defined, next_runs, parsed
from oriel.store.event_records import Schedule
from runner.execution import Execution

MAX_PAYLOAD_BYTES = 64 * 1024
OWN = "extension"

P = ParamSpec("P")
T = TypeVar("T")


class Definition(TypedDict):
    """`schedule.definition`."""

    name: str
    cron: str
    timezone: str
    method: str
    path: str
    payload: str | None
    enabled: bool
    missed: Literal["once", "skip"]
    overlap: bool


class Info(TypedDict):
    """`schedule.info`."""

    id: str
    definition: Definition
    foreign: bool
    next_runs: list[int]


Case: TypeAlias = Literal["invalid", "conflict", "limit-exceeded", "unavailable"]
Result: TypeAlias = tuple[Literal["ok"], T] | tuple[Literal["err"], tuple[Case, str]]
_CASES: dict[str, Case] = {
    "invalid_schedule": "invalid",
    "conflict": "conflict",
    "not_found": "conflict",
    "quota_exceeded": "limit-exceeded",
    "unavailable": "unavailable",
}


def _typed(
    function: Callable[Concatenate[Execution, P], T],
) -> Callable[Concatenate[Execution, P], Result[T]]:
    """Answer `ok`, or the typed error for what was refused."""

    def call(execution: Execution, /, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        try:
            return ("ok", function(execution, *args, **kwargs))
        except OrielError as error:
            if error.code not in _CASES:
                raise
            return ("err", (_CASES[error.code], error.detail))

    return call


@_typed
def list_(execution: Execution) -> list[Info]:
    return [_info(schedule) for schedule in _all(execution)]


@_typed
def put(execution: Execution, definition: Definition) -> Info:
    fields: dict[str, Any] = {**definition, "payload": payload(definition["payload"])}
    wanted = parsed(fields)
    own = owner(execution)
    there = _named(execution, wanted.name)
    if there is None:
        return _info(scheduling(execution).create(own, wanted, OWN, own.extension_id))
    return _info(scheduling(execution).change(own, there.schedule_id, fields))


@_typed
def delete(execution: Execution, name: str) -> bool:
    there = _named(execution, name)
    if there is not None:
        scheduling(execution).delete(there.tenant_id, there.schedule_id)
    return there is not None


def scheduling(execution: Execution) -> Scheduling:
    """`OrielError` `unavailable` where the platform keeps no schedules."""
    if execution.services.scheduling is None:
        raise OrielError("unavailable", "This platform keeps no schedules.")
    return execution.services.scheduling()


def owner(execution: Execution) -> Owner:
    """The install that runs, with the endpoints that the gateway has named."""
    context = execution.context
    return Owner(context.tenant_id, context.install_id, context.extension_id, execution.endpoints)


def payload(text: str | None) -> Any:
    """A payload that a guest wrote; `InvalidInput` `invalid_schedule`."""
    if text is None:
        return None
    try:
        return strict_json.loads(text, max_bytes=MAX_PAYLOAD_BYTES)
    except strict_json.JsonError as error:
        findings = [Finding("payload", f"not valid JSON: {error}")]
        raise InvalidInput("invalid_schedule", findings, subject="The schedule") from None


def _all(execution: Execution) -> list[Schedule]:
    return scheduling(execution).of_install(execution.context.tenant_id, execution.context.install_id)


def _named(execution: Execution, name: str) -> Schedule | None:
    """The guest's own schedule of that name; `OrielError` `conflict` where it is somebody else's."""
    there = next((schedule for schedule in _all(execution) if schedule.name == name), None)
    if there is not None and there.origin != OWN:
        raise OrielError("conflict", f"The schedule '{name}' is the {there.origin}'s.")
    return there


def _info(schedule: Schedule) -> Info:
    definition: Any = defined(schedule)
    definition["payload"] = None if schedule.payload is None else json.dumps(schedule.payload)
    return {
        "id": schedule.schedule_id,
        "definition": definition,
        "foreign": schedule.origin != OWN,
        "next_runs": next_runs(schedule, now_ms()),
    }

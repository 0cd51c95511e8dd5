"""`oriel:extension/events`: telling other extensions of the organisation what has happened.

Rules kept here:

- The tenant and the extension come from the execution. The extension's id stands before the topic, so that no guest
  speaks for another or for the product.
- An event is one deeper than the one that this execution was called with.
"""

from typing import Literal, TypeAlias, TypedDict

from oriel import events
from oriel.emitting import Emission
from oriel.errors import OrielError
from runner.execution import Execution


class EventRecord(TypedDict):
    """`events.event`."""

    topic: str
    key: str | None
    data: str


Case: TypeAlias = Literal["invalid", "loop", "limit-exceeded", "unavailable"]
Result: TypeAlias = tuple[Literal["ok"], str] | tuple[Literal["err"], tuple[Case, str]]

_CASES: dict[str, Case] = {
    "invalid_input": "invalid",
    "event_loop": "loop",
    "rate_limited": "limit-exceeded",
    "unavailable": "unavailable",
}


def emit(execution: Execution, event: EventRecord) -> Result:
    emitter = execution.services.emitter
    if emitter is None:
        return ("err", ("unavailable", "This platform keeps no events."))
    try:
        kept, _ = emitter.emit(_emission(execution, event))
    except OrielError as error:
        if error.code not in _CASES:
            raise
        return ("err", (_CASES[error.code], error.detail))
    return ("ok", kept.event_id)


def _emission(execution: Execution, event: EventRecord) -> Emission:
    context = execution.context
    return Emission(
        tenant_id=context.tenant_id,
        source=context.extension_id,
        topic=f"{context.extension_id}.{event['topic']}",
        data=events.parsed_data(event["data"]),
        key=event["key"],
        depth=context.depth + 1,
        caused_by=context.caused_by,
    )

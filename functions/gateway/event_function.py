"""Events and schedules as a Lambda function: fed by a queue, by an event bus, and by the minute.

    an SQS event                   each message names a piece of work: it is done, where it is due and nobody has it
    {"task": "sweep"}              whatever is due, while there is time
    an event of EventBridge        is the product's: `detail-type` is the topic, `detail` has `tenant_id`, `data`, `key`

Rules kept here:

- A message is a hint: what it names is asked of the store, and a message too many, too late or lost changes nothing.
- Work that fails keeps its lease, and comes back by the sweep; its message may go.
- Who may put events on the bus is IAM's to say. The bus delivers at least once: its id and time make one event of two.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.dispatcher import Dispatcher
from oriel import events
from oriel.emitting import Emission, Emitter
from oriel.errors import OrielError

MARGIN_MS = 45_000  # what is begun with less than this left could be cut off
_log = logging.getLogger(__name__)


class Function:
    """The function's handler."""

    def __init__(self, dispatcher: Dispatcher, emitter: Emitter) -> None:
        self._dispatcher, self._emitter = dispatcher, emitter

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        match event:
            case {"Records": [*records]}:
                failed = [str(record["messageId"]) for record in records if not self._done(record)]
                return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
            case {"task": "sweep"}:
                return {"done": self._sweep(context)}
            case {"detail-type": str(topic), "detail": dict() as detail}:
                return {"event_id": self._emit(topic, detail, event)}
        raise OrielError("malformed_request", "The event is none that this function knows.")

    def _done(self, record: Mapping[str, Any]) -> bool:
        """Whether the message may go: also where there is nothing to do, and where it names nothing."""
        try:
            named = json.loads(record["body"])
            tenant_id, kind, item_id = str(named["tenant_id"]), named["kind"], str(named["item_id"])
        except (ValueError, KeyError, TypeError):
            _log.error("a message names no work", extra={"message_id": record.get("messageId")})
            return False
        try:
            work = self._dispatcher.claim_item(tenant_id, kind, item_id)
        except OrielError as error:
            _log.warning("a message waits: %s", error.detail)
            return False
        if work is not None:
            try:
                self._dispatcher.do(work)
            except OrielError as error:  # it keeps its lease, and the sweep finds it
                _log.warning("a piece of work waits: %s", error.detail)
        return True

    def _sweep(self, context: Any) -> int:
        done = 0
        while context.get_remaining_time_in_millis() > MARGIN_MS:
            found = self._dispatcher.run_pending(10)
            done += found
            if not found:
                break
        return done

    def _emit(self, topic: str, detail: Mapping[str, Any], event: Mapping[str, Any]) -> str:
        at = datetime.fromisoformat(str(event["time"]))
        emission = Emission(
            tenant_id=str(detail["tenant_id"]),
            source=events.PRODUCT,
            topic=topic,
            data=detail.get("data", {}),
            key=detail.get("key"),
            id=str(event["id"]),
            at=round(at.timestamp() * 1000),
        )
        kept, _ = self._emitter.emit(emission)
        return kept.event_id

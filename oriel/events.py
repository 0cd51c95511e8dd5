"""Events: what they may be called, who is told of them, and what is told.

Rules kept here:

- Everything is a function of what it is given: no store, no clock.
- A pattern's `*` stands for any one segment, and as the last one for one or more.
- A filter compares JSON values: 1 is not true, and a field that is not there is null.
- An event that a guest emits has its extension's id before its topic, so that none can speak for another or for the
  product.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from oriel import strict_json
from oriel.errors import Finding, InvalidInput, OrielError
from oriel.store.event_records import Event

PRODUCT = "product"
"""The source of what the host product itself has emitted."""
MEDIA_TYPE = "application/cloudevents+json"
MAX_TOPIC, MAX_KEY, MAX_DATA_BYTES = 256, 256, 64 * 1024
MAX_DEPTH = 8
_TOPIC = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def matches(pattern: str, topic: str) -> bool:
    """Whether a subscription's pattern is of an event's topic."""
    wanted, given = pattern.split("."), topic.split(".")
    if wanted[-1] == "*" and len(given) > len(wanted):
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(part in {"*", other} for part, other in zip(wanted, given, strict=True))


def passes(wanted: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Whether an event's data have the values that a filter asks for."""
    return all(_has(_field(data, name), value) for name, value in wanted.items())


def _field(data: Any, name: str) -> Any:
    for part in name.split("."):
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def _has(value: Any, wanted: Any) -> bool:
    alternatives = wanted if isinstance(wanted, list | tuple) else [wanted]
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in alternatives)


def check(topic: str, key: str | None, data: Any) -> None:
    """See that an event can be one.

    Raises:
        InvalidInput: `invalid_input`, with every mistake.
    """
    findings = []
    if not _TOPIC.fullmatch(topic) or len(topic) > MAX_TOPIC:
        findings.append(
            Finding(
                "topic", f"must be lower-case words with dots between, such as invoice.paid, of at most {MAX_TOPIC}"
            )
        )
    if key is not None and (not key.isprintable() or not 1 <= len(key) <= MAX_KEY):
        findings.append(Finding("key", f"must be 1 to {MAX_KEY} printable characters"))
    if not isinstance(data, dict):
        findings.append(Finding("data", "must be a JSON object"))
    elif (size := len(json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass"))) > MAX_DATA_BYTES:
        findings.append(Finding("data", f"has {size:,} bytes; at most {MAX_DATA_BYTES:,} are allowed"))
    if findings:
        raise InvalidInput("invalid_input", findings, subject="The event")


def parsed_data(text: str) -> Any:
    """An event's data as a guest writes them; `InvalidInput` where they are not JSON."""
    try:
        return strict_json.loads(text, max_bytes=MAX_DATA_BYTES)
    except strict_json.JsonError as error:
        raise InvalidInput(
            "invalid_input", [Finding("data", f"not valid JSON: {error}")], subject="The event"
        ) from None


def check_depth(depth: int) -> None:
    """Cut a chain of events that bring each other about.

    Raises:
        OrielError: `event_loop`.
    """
    if depth > MAX_DEPTH:
        raise OrielError("event_loop", f"It would be the {depth}th event in a chain; {MAX_DEPTH} are allowed.")


def cloud_event(event: Event) -> bytes:
    """The event as its handler gets it: CloudEvents 1.0, JSON format.

    `oriel_depth` tells how many events brought it about; an id that was seen before is the same event again.
    """
    message = {
        "specversion": "1.0",
        "id": event.event_id,
        "source": event.source,
        "type": event.topic,
        "time": datetime.fromtimestamp(event.created_at / 1000, UTC).isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": event.data,
        "orieldepth": event.depth,
    }
    if event.key is not None:
        message["subject"] = event.key
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")

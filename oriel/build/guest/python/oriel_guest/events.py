"""Events: tell other extensions of the organisation what has happened, and read what one's own handler is told.

Emitting needs `events.emit`; being told needs `events.subscribe` and `events` in manifest.json.

    events.emit("score.changed", {"order": "o-17", "score": 80}, key="o-17")

    @app.post("/on-order")
    def on_order(request):
        event = events.received(request)
        ...
"""

import json as jsonlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oriel_guest import _host
from oriel_guest.messages import Request, dumps


@dataclass(frozen=True)
class Event:
    """What a handler is called with. It may come more than once, then with the same `id`.

    Attributes:
        topic: `invoice.paid`; of another extension's, its id and then what it told.
        source: `product`, or the extension's id.
    """

    id: str
    topic: str
    source: str
    time: str
    key: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


def emit(topic: str, data: Mapping[str, Any] | None = None, key: str | None = None) -> str:
    """Tell what has happened; the event's id.

    Args:
        topic: below the extension's own id; `score.changed` is told as `com.acme.pulse.score.changed`.
        data: anything that is a JSON object.
        key: events of one key arrive in their order, where they are asked for so.

    Raises:
        Denied, Invalid, Unavailable: and `LimitExceeded`, for too many or for a chain that is too long.
    """
    wit = _host.interface("events", "events.emit")
    event_id: str = _host.call(wit.emit, wit.Event(topic, key, dumps(dict(data or {}))))
    return event_id


def received(request: Request) -> Event:
    """The event that this request is. `Problem` 400 where it is none."""
    told = jsonlib.loads(request.text())
    named = {name: told[name] for name in ("id", "source", "time", "data")}
    return Event(topic=told["type"], key=told.get("subject"), **named)

"""What two fields of a manifest say of each other.

The rules look at the document, not at the model: they hold among the parts that are valid, so that one mistake does
not hide another.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError

from oriel.errors import Finding, OrielError
from oriel.manifest.parts import CapabilityItem, CapabilityRequest, Endpoint, EventHandler, Schedule, Ui
from oriel.names import is_reverse_domain, owns
from oriel.routing import match_endpoint

T = TypeVar("T")

SUBSCRIBE = "events.subscribe"

_CAPABILITY: TypeAdapter[CapabilityRequest] = TypeAdapter(CapabilityItem)
_ENDPOINT, _EVENT, _SCHEDULE = TypeAdapter(Endpoint), TypeAdapter(EventHandler), TypeAdapter(Schedule)
_UI = TypeAdapter(Ui)


class _Placed(Struct, Generic[T], frozen=True):
    at: str
    part: T


def cross_findings(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Every rule's findings."""
    yield from _publisher_owns_the_name(document)
    yield from _capabilities_are_asked_once(document)
    yield from _ui_stands_under_ui(document)
    api = document.get("api", {})
    declared = api.get("endpoints", []) if isinstance(api, dict) else None
    endpoints = _valid(_ENDPOINT, declared, "api.endpoints")
    yield from _endpoints_are_distinct(endpoints)
    yield from _parameters_are_distinct(endpoints)
    # Where an endpoint is itself mistaken, it may be the one that is looked for.
    if isinstance(declared, list) and len(declared) == len(endpoints):
        yield from _handlers_are_declared(document, [placed.part for placed in endpoints])
    yield from _subscriptions_are_asked_for(document)
    yield from _schedules_are_distinct(_valid(_SCHEDULE, document.get("schedules"), "schedules"))


def _valid(adapter: TypeAdapter[T], items: object, at: str) -> list[_Placed[T]]:
    """The valid ones among `items`, each with its place."""
    found = []
    for index, item in enumerate(items if isinstance(items, list) else []):
        try:
            found.append(_Placed(f"{at}[{index}]", adapter.validate_python(item)))
        except ValidationError:
            continue
    return found


def _publisher_owns_the_name(document: Mapping[str, Any]) -> Iterator[Finding]:
    name, publisher = document.get("name"), document.get("publisher")
    both = isinstance(name, str) and isinstance(publisher, str) and is_reverse_domain(publisher)
    if both and not owns(str(publisher), str(name)):
        yield Finding("name", f"must be '{publisher}' or start with '{publisher}.', as its publisher is '{publisher}'")


def _capabilities_are_asked_once(document: Mapping[str, Any]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for placed in _valid(_CAPABILITY, document.get("capabilities"), "capabilities"):
        if first := seen.get(placed.part.name):
            yield Finding(placed.at, f"asks for '{placed.part.name}' again; it stands at {first}")
        seen.setdefault(placed.part.name, placed.at)


def _ui_stands_under_ui(document: Mapping[str, Any]) -> Iterator[Finding]:
    for placed in _valid(_UI, [document.get("ui")], "ui"):
        ui = placed.part
        files = {"ui.entry": ui.entry} | {
            f"ui.hooks.{name}[{index}].icon": hook.icon
            for name, hooks in ui.hooks.items()
            for index, hook in enumerate(hooks)
            if hook.icon is not None
        }
        for at, file in files.items():
            if not file.startswith("ui/"):
                yield Finding(at, "must be a file under ui/")


def _endpoints_are_distinct(endpoints: Sequence[_Placed[Endpoint]]) -> Iterator[Finding]:
    seen: dict[tuple[str, ...], str] = {}
    for placed in endpoints:
        shape = (":" if segment.startswith(":") else segment for segment in placed.part.segments)
        key = (placed.part.method, *shape)
        if first := seen.get(key):
            yield Finding(placed.at, f"answers the same requests as {first}")
        seen.setdefault(key, placed.at)


def _parameters_are_distinct(endpoints: Sequence[_Placed[Endpoint]]) -> Iterator[Finding]:
    for placed in endpoints:
        names = [segment for segment in placed.part.segments if segment.startswith(":")]
        if len(set(names)) < len(names):
            yield Finding(f"{placed.at}.path", "names a parameter twice")


def _handlers_are_declared(document: Mapping[str, Any], endpoints: Sequence[Endpoint]) -> Iterator[Finding]:
    calls = [(placed.at, "POST", placed.part.path) for placed in _valid(_EVENT, document.get("events"), "events")] + [
        (placed.at, placed.part.method, placed.part.path)
        for placed in _valid(_SCHEDULE, document.get("schedules"), "schedules")
    ]
    for at, method, path in calls:
        if "/:" in path:
            yield Finding(f"{at}.path", "must be the path that is called, without parameters")
        elif not _is_answered(endpoints, method, path):
            yield Finding(
                f"{at}.path",
                f"is called with {method}, and no endpoint answers that; add "
                f'{{"method": "{method}", "path": "{path}"}} to api.endpoints',
            )


def _subscriptions_are_asked_for(document: Mapping[str, Any]) -> Iterator[Finding]:
    events = _valid(_EVENT, document.get("events"), "events")
    placed = _valid(_CAPABILITY, document.get("capabilities"), "capabilities")
    asked = {entry.part.name: entry.at for entry in placed}
    if events and SUBSCRIBE not in asked:
        yield Finding(
            "events",
            f'needs the capability: add {{"name": "{SUBSCRIBE}", "purpose": "…"}} to capabilities, and say there '
            "what the events are for",
        )
    if SUBSCRIBE in asked and isinstance(document.get("events", []), list) and not document.get("events"):
        yield Finding(asked[SUBSCRIBE], f"asks for '{SUBSCRIBE}', and there are no events")
    seen: dict[tuple[str, str], str] = {}
    for event in events:
        if first := seen.get((event.part.topic, event.part.path)):
            yield Finding(event.at, f"is the same topic and path as {first}")
        seen.setdefault((event.part.topic, event.part.path), event.at)


def _is_answered(endpoints: Sequence[Endpoint], method: str, path: str) -> bool:
    try:
        match_endpoint(endpoints, method, [segment for segment in path.split("/") if segment])
    except OrielError:
        return False
    return True


def _schedules_are_distinct(schedules: Sequence[_Placed[Schedule]]) -> Iterator[Finding]:
    seen: set[str] = set()
    for placed in schedules:
        if placed.part.name in seen:
            yield Finding(f"{placed.at}.name", f"is taken: another schedule is called '{placed.part.name}'")
        seen.add(placed.part.name)

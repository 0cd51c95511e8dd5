"""What the demo does with events and schedules, through the HTTP API: tell, run, and wait for what comes of it."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from oriel.client import PlatformClient

SECONDS = 60.0
POLL_SECONDS = 0.1
UNDER_WAY = frozenset({"pending", "queued", "running"})

Note = Callable[[str], None]


def tell(client: PlatformClient, event: Mapping[str, Any], note: Note) -> bool:
    """Emit an event as the product; whether it reached everybody who had subscribed."""
    event_id = client.api("POST", "/events", json=dict(event))["event_id"]
    found = _settled(lambda: client.api("GET", f"/events/{event_id}")["deliveries"])
    good = bool(found) and all(one["state"] == "delivered" for one in found)
    reached = ", ".join(f"{one['extension_id']}{one['path']} {one['state']}" for one in found) or "nobody"
    note(f"  {_mark(good)} event {event['topic']} {event.get('key', '')} → {reached}")
    return good


def run(client: PlatformClient, extension_id: str, name: str, note: Note) -> bool:
    """Run a schedule now; whether it went well."""
    listed = client.api("GET", "/schedules", params={"extension_id": extension_id})["items"]
    schedule = next(one for one in listed if one["name"] == name)
    path = f"/schedules/{schedule['schedule_id']}/runs"
    client.api("POST", path)
    found = _settled(lambda: client.api("GET", path)["items"][:1])
    good = [one["state"] for one in found] == ["succeeded"]
    state = found[0]["state"] if found else "lost"
    note(f"  {_mark(good)} schedule {name} ({schedule['cron']} {schedule['timezone']}), run now → {state}")
    return good


def _settled(look: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What is there once nothing of it is under way, or when time is up."""
    until = time.monotonic() + SECONDS
    while True:
        found = look()
        if (found and not any(one["state"] in UNDER_WAY for one in found)) or time.monotonic() > until:
            return found
        time.sleep(POLL_SECONDS)


def _mark(good: bool) -> str:
    return "[green]✓[/]" if good else "[red]✗[/]"

"""Commands for events: emit, look, send again."""

import json as jsonlib
from typing import Annotated, Any

import typer

from oriel.cli.options import ExtensionId, on_platform
from oriel.cli.output import out
from oriel.cli.values import json_value, parse_moment, shown
from oriel.client import PlatformClient

app = typer.Typer(no_args_is_help=True, help="Events: emit, look, send again.")
EventId = Annotated[str, typer.Argument(metavar="EVENT", help="As `oriel events list` shows it.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100)]


@app.command("emit")
@on_platform
def emit(
    platform: PlatformClient,
    topic: Annotated[str, typer.Argument(help="For example order.paid.")],
    data: Annotated[str, typer.Option("--data", "-d", help="A JSON object.")] = "{}",
    key: Annotated[str, typer.Option("--key", help="Events of one key keep their order.")] = "",
) -> None:
    """Emit an event as the product, for the tenant."""
    body = {"topic": topic, "data": json_value(data, "--data")} | ({"key": key} if key else {})
    event = platform.api("POST", "/events", json=body)
    out.result(event, f"{event['event_id']} is on its way")


@app.command("list")
@on_platform
def list_(platform: PlatformClient, limit: Limit = 20) -> None:
    """List what has happened, newest first."""
    found = platform.api("GET", "/events", params={"limit": limit})["items"]
    rows = [
        (shown(event["created_at"]), event["event_id"], event["topic"], event["source"], event["key"] or "")
        for event in found
    ]
    out.table(found, ("UTC", "EVENT", "TOPIC", "SOURCE", "KEY"), rows, "Nothing has happened yet.")


@app.command("show")
@on_platform
def show(platform: PlatformClient, event_id: EventId) -> None:
    """Show one event, and what became of it at each of its subscribers."""
    event = platform.api("GET", f"/events/{event_id}")
    lines = [
        f"  {one['state']:<9} {one['extension_id']}{one['path']}  attempts {one['attempts']}"
        + (f"  {one['reason']}" if one["reason"] else "")
        + (f"  {one['execution_id']}" if one["execution_id"] else "")
        for one in event["deliveries"]
    ]
    data = jsonlib.dumps(event["data"], indent=2, ensure_ascii=False)
    told = "\n".join(lines) or "  Nobody has subscribed to it."
    out.result(event, f"[bold]{event['topic']}[/] from {event['source']}\n{data}\n{told}")


@app.command("subscriptions")
@on_platform
def subscriptions(platform: PlatformClient) -> None:
    """List who is told of what."""
    found = platform.listing("/events/subscriptions")
    rows = [
        (one["topic"], one["extension_id"] + one["path"], jsonlib.dumps(one["filter"]) if one["filter"] else "")
        for one in found
    ]
    out.table(found, ("TOPIC", "HANDLER", "FILTER"), rows, "Nobody has subscribed to anything.")


@app.command("dead-letters")
@on_platform
def dead_letters(platform: PlatformClient, limit: Limit = 20) -> None:
    """List what could not be delivered, and why."""
    found = platform.api("GET", "/events/dead-letters", params={"limit": limit})["items"]
    rows = [
        (shown(one["updated_at"]), one["delivery_id"], one["topic"], one["extension_id"], one["reason"] or "")
        for one in found
    ]
    out.table(found, ("UTC", "DELIVERY", "TOPIC", "EXTENSION", "REASON"), rows, "No dead letters.")


@app.command("redrive")
@on_platform
def redrive(
    platform: PlatformClient,
    delivery_id: Annotated[str, typer.Argument(metavar="[DELIVERY]", help="One; without it all of them.")] = "",
    extension: Annotated[str, typer.Option("--extension", help="All of this extension's.")] = "",
) -> None:
    """Deliver dead letters again, from their first attempt on."""
    if delivery_id:
        one = platform.api("POST", f"/events/dead-letters/{delivery_id}/redrive")
        out.result(one, f"{delivery_id} is on its way again")
        return
    body = {"extension_id": extension} if extension else {}
    done = platform.api("POST", "/events/dead-letters/redrive", json=body)
    out.result(done, f"{done['redriven']} are on their way again")


@app.command("replay")
@on_platform
def replay(
    platform: PlatformClient,
    extension: ExtensionId,
    since: Annotated[str, typer.Option("--since", help="2026-11-24, with a time, in UTC; or how long ago: 2h, 7d.")],
    until: Annotated[str, typer.Option("--until", help="Default: now.")] = "",
) -> None:
    """Deliver the events of a time once more to one extension."""
    body: dict[str, Any] = {"extension_id": extension, "since": parse_moment(since, "--since")}
    body |= {"until": parse_moment(until, "--until")} if until else {}
    done = platform.api("POST", "/events/replay", json=body)
    out.result(done, f"{done['deliveries']} deliveries are on their way")


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="events", rich_help_panel="Use")

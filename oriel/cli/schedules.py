"""Commands for schedules: look, make, change, run."""

from typing import Annotated, Any, Literal

import typer

from oriel.cli.options import ExtensionId, on_platform
from oriel.cli.output import out
from oriel.cli.values import json_value, shown, shown_in
from oriel.client import PlatformClient
from oriel.errors import OrielError

app = typer.Typer(no_args_is_help=True, help="Schedules: look, make, change, run.")
ScheduleId = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its id, or EXTENSION/NAME.")]
Cron = Annotated[str, typer.Option("--cron", help="Minute, hour, day of the month, month, day of the week.")]
Zone = Annotated[str, typer.Option("--timezone", help="Of the IANA database, such as Europe/Berlin.")]
Payload = Annotated[str, typer.Option("--payload", help="A JSON object, sent as the body.")]
Missed = Annotated[Literal["once", "skip"], typer.Option("--missed", help="What becomes of missed times.")]


@app.command("list")
@on_platform
def list_(
    platform: PlatformClient,
    extension: Annotated[str, typer.Argument(help="Only this extension's.")] = "",
) -> None:
    """List the tenant's schedules with their next times."""
    found = _all(platform, extension)
    rows = [
        (
            one["schedule_id"],
            f"{one['extension_id']}/{one['name']}",
            f"{one['cron']}  {one['timezone']}",
            f"{one['method']} {one['path']}",
            shown(one["next_runs"][0]) if one["next_runs"] else one["off_reason"] or "off",
        )
        for one in found
    ]
    out.table(found, ("SCHEDULE", "NAME", "WHEN", "CALLS", "NEXT (UTC)"), rows, "No schedules.")


@app.command("show")
@on_platform
def show(platform: PlatformClient, schedule: ScheduleId) -> None:
    """Show one schedule, its next five runs and its last ones."""
    found = platform.api("GET", f"/schedules/{_id(platform, schedule)}")
    runs = platform.api("GET", f"/schedules/{found['schedule_id']}/runs", params={"limit": 10})["items"]
    out.result({**found, "runs": runs}, f"{_described(found)}\nlast\n{_history(runs)}")


@app.command("create")
@on_platform
def create(
    platform: PlatformClient,
    extension: ExtensionId,
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.")],
    cron: Cron,
    path: Annotated[str, typer.Option("--path", help="The endpoint to call.")],
    method: Annotated[str, typer.Option("--method", "-X")] = "POST",
    timezone: Zone = "UTC",
    payload: Payload = "",
    missed: Missed = "once",
    overlap: Annotated[bool, typer.Option("--overlap", help="A run may begin while another goes on.")] = False,
) -> None:
    """Call an endpoint of an extension at fixed times."""
    body: dict[str, Any] = {"extension_id": extension, "name": name, "cron": cron, "timezone": timezone, "path": path}
    body |= {"method": method, "missed": missed, "overlap": overlap} | _payload(payload)
    made = platform.api("POST", "/schedules", json=body)
    out.result(made, _described(made))


@app.command("change")
@on_platform
def change(
    platform: PlatformClient,
    schedule: ScheduleId,
    cron: Cron = "",
    timezone: Zone = "",
    payload: Payload = "",
    missed: Annotated[Literal["once", "skip", ""], typer.Option("--missed")] = "",
    overlap: Annotated[bool | None, typer.Option("--overlap/--no-overlap")] = None,
) -> None:
    """Change when a schedule runs, or with what."""
    given: dict[str, Any] = {"cron": cron, "timezone": timezone, "missed": missed}
    body = {name: value for name, value in given.items() if value} | _payload(payload)
    body |= {} if overlap is None else {"overlap": overlap}
    changed = platform.api("PATCH", f"/schedules/{_id(platform, schedule)}", json=body)
    out.result(changed, _described(changed))


@app.command("pause")
@on_platform
def pause(platform: PlatformClient, schedule: ScheduleId) -> None:
    """Switch a schedule off; nothing of it is lost."""
    changed = platform.api("PATCH", f"/schedules/{_id(platform, schedule)}", json={"enabled": False})
    out.result(changed, f"{changed['name']} is off")


@app.command("resume")
@on_platform
def resume(platform: PlatformClient, schedule: ScheduleId) -> None:
    """Switch a schedule on again."""
    changed = platform.api("PATCH", f"/schedules/{_id(platform, schedule)}", json={"enabled": True})
    out.result(changed, _described(changed))


@app.command("run")
@on_platform
def run(platform: PlatformClient, schedule: ScheduleId) -> None:
    """Run a schedule now, besides its own times."""
    queued = platform.api("POST", f"/schedules/{_id(platform, schedule)}/runs")
    out.result(queued, f"{queued['run_id']} is queued; 'oriel schedules show {schedule}' tells what became of it")


@app.command("delete")
@on_platform
def delete(platform: PlatformClient, schedule: ScheduleId) -> None:
    """Delete a schedule; one of the manifest can be paused instead."""
    platform.api("DELETE", f"/schedules/{_id(platform, schedule)}")
    out.result({"deleted": schedule}, f"{schedule} is gone")


@app.command("preview")
@on_platform
def preview(
    platform: PlatformClient,
    cron: Annotated[str, typer.Argument(help="In quotes: '0 8 * * mon-fri'.")],
    timezone: Zone = "UTC",
) -> None:
    """Show the next five times of a cron expression."""
    found = platform.api("POST", "/schedules/preview", json={"cron": cron, "timezone": timezone})
    out.result(found, _times(found["next_runs"], found["timezone"]))


def _all(platform: PlatformClient, extension: str = "") -> list[dict[str, Any]]:
    return platform.listing("/schedules", **({"extension_id": extension} if extension else {}))


def _id(platform: PlatformClient, schedule: str) -> str:
    """The id of a schedule that is named `EXTENSION/NAME`, or by its id."""
    extension, _, name = schedule.rpartition("/")
    if not extension:
        return schedule
    for one in _all(platform, extension):
        if one["name"] == name:
            return str(one["schedule_id"])
    raise OrielError("not_found", f"{extension} has no schedule '{name}'.")


def _payload(text: str) -> dict[str, Any]:
    return {"payload": json_value(text, "--payload")} if text else {}


def _described(found: dict[str, Any]) -> str:
    state = "on" if found["enabled"] else found["off_reason"] or "off"
    return (
        f"[bold]{found['extension_id']}/{found['name']}[/] ({found['schedule_id']}) is {state}, made by the "
        f"{found['origin']}\n{found['cron']}  {found['timezone']} → {found['method']} {found['path']}\n"
        f"next\n{_times(found['next_runs'], found['timezone'])}"
    )


def _times(times: list[int], zone: str) -> str:
    return "\n".join(f"  {shown_in(at, zone)}" for at in times) or "  none"


def _history(runs: list[dict[str, Any]]) -> str:
    lines = [f"  {shown(one['created_at'])} {one['state']} {one['reason'] or ''}".rstrip() for one in runs]
    return "\n".join(lines) or "  It has not run yet."


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="schedules", rich_help_panel="Use")

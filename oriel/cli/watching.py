"""Commands that look at what ran: executions, execution, logs, usage."""

import json as jsonlib
import time
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from oriel.cli.options import on_platform
from oriel.cli.output import out
from oriel.cli.values import parse_moment
from oriel.client import PlatformClient
from oriel.logs import Level, lines_of

POLL_SECONDS = 1.0
MAX_KNOWN = 20_000

Json = dict[str, Any]
Extension = Annotated[str, typer.Argument(help="Only this extension's.")]
Since = Annotated[str, typer.Option("--since", help="How far back: 30s, 15m, 2h, 7d; or a time, as 2026-11-24T18:00.")]
Until = Annotated[str, typer.Option("--until", help="Likewise; default: now.")]


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Trigger(StrEnum):
    HTTP = "http"
    EVENT = "event"
    SCHEDULE = "schedule"


class LevelName(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


Failed = Annotated[Outcome | None, typer.Option("--outcome", help="Only these.")]
Request = Annotated[str, typer.Option("--request", help="Only those of this request id.")]


def executions(
    platform: PlatformClient,
    extension: Extension = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100)] = 20,
    outcome: Failed = None,
    request: Request = "",
    code: Annotated[str, typer.Option("--code", help="Only those that ended with this error code.")] = "",
    version: Annotated[str, typer.Option("--version", help="Only this version's.")] = "",
    install: Annotated[str, typer.Option("--install", help="Only this install's, by its id.")] = "",
    content_hash: Annotated[str, typer.Option("--hash", help="Only this bundle's, by its content hash.")] = "",
    trigger: Annotated[Trigger | None, typer.Option("--trigger", help="Only what was called by this.")] = None,
    since: Since = "",
    until: Until = "",
) -> None:
    """List what ran for the tenant, newest first, with what it used."""
    given = {"extension_id": extension, "request_id": request, "error_code": code, "version": version}
    given |= {"install_id": install, "content_hash": content_hash, "trigger": trigger.value if trigger else ""}
    params = _filter(given, outcome, since, until)
    found = list(_first(platform, "/executions", params, limit))
    rows = [
        (
            datetime.fromtimestamp(entry["started_at"] / 1000, UTC).strftime("%H:%M:%S"),
            entry["execution_id"],
            f"{entry['method']} {entry['extension_id']}{entry['path']}",
            entry["trigger"],
            str(entry["status"]) + (f" {entry['error_code']}" if entry["error_code"] else ""),
            f"{entry['receipt'].get('duration_ms', 0):.1f} ms",
        )
        for entry in found
    ]
    out.table(found, ("UTC", "EXECUTION", "REQUEST", "BY", "STATUS", "TIME"), rows, "Nothing has run yet.")


def execution(
    platform: PlatformClient,
    execution_id: Annotated[str, typer.Argument(help="As x-ext-execution-id gives it.")],
) -> None:
    """Show one execution: its ids, its receipt and its log."""
    found = platform.api("GET", f"/executions/{execution_id}")
    lines = [f"{line['at_ms']:8.1f} ms  {line['level']:<5} {line['message']}" for line in found["logs"]]
    out.result(
        found,
        f"[bold]{found['method']} {found['extension_id']}{found['path']}[/] → {found['status']}\n"
        f"{jsonlib.dumps(found['receipt'], indent=2)}\n" + ("\n".join(lines) or "It logged nothing."),
    )


def logs(
    platform: PlatformClient,
    extension: Extension = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    level: Annotated[LevelName, typer.Option("--level", help="The lowest that is shown.")] = LevelName.DEBUG,
    grep: Annotated[str, typer.Option("--grep", "-g", help="Text in the message or a field, whatever the case.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000)] = 100,
    outcome: Failed = None,
    request: Request = "",
    since: Since = "",
) -> None:
    """Show what extensions have logged, oldest first. With --json, one JSON object a line."""
    params = _filter({"extension_id": extension, "request_id": request}, outcome, since)
    tail = platform.api("GET", "/executions/tail", params=params) if follow else {}
    asked = params | {"level": level.value, "text": grep}
    lines = list(_first(platform, "/logs", asked, limit))
    known: OrderedDict[str, None] = OrderedDict.fromkeys(line["execution_id"] for line in lines)
    for line in sorted(lines, key=lambda line: float(line["at"])):
        _say(line)
    if follow:
        _follow(platform, params, tail["cursor"], known, level.value, grep)


def usage(
    platform: PlatformClient,
    days: Annotated[int, typer.Option("--days", min=1, max=366)] = 7,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    all_tenants: Annotated[bool, typer.Option("--all-tenants", help="CSV of every tenant; for operators.")] = False,
) -> None:
    """Show what each extension used, day by day, and what it cost."""
    today = datetime.now(UTC).date()
    params = {"since": str(today - timedelta(days=days - 1)), "until": str(today)}
    if csv or all_tenants:
        out.raw(platform.download("/usage/tenants.csv" if all_tenants else "/usage.csv", params))
        return
    answer = platform.api("GET", "/usage", params=params)
    rows = [
        (
            entry["window"],
            f"{entry['extension_id']} {entry['version']}",
            f"{entry['invocations']:,}",
            f"{entry['failures']:,}",
            f"{entry['cpu_ms']:,.0f} ms",
            f"{entry['cost']} {answer['currency']}" if entry["cost"] else "",
        )
        for entry in answer["items"]
    ]
    columns = ("DAY", "EXTENSION", "CALLS", "FAILED", "CPU", "COST")
    out.table(answer["items"], columns, rows, "Nothing was used.")


def _filter(given: dict[str, str], outcome: Outcome | None, since: str, until: str = "") -> Json:
    params: Json = {name: value for name, value in given.items() if value}
    params |= {"outcome": outcome.value} if outcome else {}
    params |= {"since": parse_moment(since, "--since")} if since else {}
    return params | ({"until": parse_moment(until, "--until")} if until else {})


def _first(platform: PlatformClient, path: str, params: Json, limit: int) -> Iterator[Json]:
    """At most `limit` of a listing whose pages may be short, or empty."""
    left, cursor = limit, None
    while left:
        asked = params | {"limit": min(100, left)} | ({"cursor": cursor} if cursor else {})
        page = platform.api("GET", path, params=asked)
        yield from page["items"][:left]
        left -= len(page["items"][:left])
        cursor = page["cursor"]
        if not cursor:
            return


def _follow(
    platform: PlatformClient, params: Json, cursor: str, known: OrderedDict[str, None], level: Level, grep: str
) -> None:
    """Poll, and say what is new; an execution that comes again is known."""
    while True:
        page = platform.api("GET", "/executions/tail", params=params | {"cursor": cursor})
        for entry in page["items"]:
            if entry["execution_id"] not in known:
                known[entry["execution_id"]] = None
                for line in lines_of(entry, level, grep):
                    _say(line)
        while len(known) > MAX_KNOWN:
            known.popitem(last=False)
        cursor = page["cursor"]
        if not page["more"]:
            time.sleep(POLL_SECONDS)


def _say(line: Json) -> None:
    if out.as_json:
        print(jsonlib.dumps(line, ensure_ascii=False), flush=True)
        return
    at = datetime.fromtimestamp(line["at"] / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    fields = "".join(f" {name}={value}" for name, value in line["fields"].items())
    print(f"{at}  {line['level']:<5} {line['extension_id']}  {line['message']}{fields}", flush=True)


def register(app: typer.Typer) -> None:
    for command in (executions, execution, logs, usage):
        app.command(rich_help_panel="Use")(on_platform(command))

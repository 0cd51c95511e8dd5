"""Commands that use an extension and look at what it did: call, executions, usage."""

import json as jsonlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from oriel.cli.options import ExtensionId, on_platform
from oriel.cli.output import EXIT_REFUSED, out, pairs
from oriel.client import PlatformClient

EXECUTION_HEADER = "x-ext-execution-id"


def call(
    platform: PlatformClient,
    extension: ExtensionId,
    path: Annotated[str, typer.Argument(help="For example /items?open=1.")] = "/",
    method: Annotated[str, typer.Option("--method", "-X", help="Default: GET, or POST with --data.")] = "",
    data: Annotated[str, typer.Option("--data", "-d", help="The body; @FILE reads it, @- takes standard input.")] = "",
    header: Annotated[list[str] | None, typer.Option("--header", "-H", help="NAME=VALUE; repeat it.")] = None,
) -> None:
    """Call an extension's endpoint. The answer goes to standard output; a status of 400 or more exits with 1."""
    body = _body(data)
    headers = [("content-type", "application/json")] if body else []
    headers += list(pairs(header or [], "--header").items())
    answer = platform.call(extension, path, method=method or ("POST" if data else "GET"), body=body, headers=headers)
    _print(answer)
    if answer.is_error:
        raise typer.Exit(EXIT_REFUSED)


def _body(data: str) -> bytes:
    if data == "@-":
        return sys.stdin.buffer.read()
    return Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()


def _print(answer: httpx.Response) -> None:
    if out.as_json:
        out.result({"status": answer.status_code, "headers": dict(answer.headers), "body": _json_or_text(answer)}, "")
        return
    execution = answer.headers.get(EXECUTION_HEADER, "none")
    out.note(f"[bold]{answer.status_code}[/] {answer.headers.get('content-type', '')}  execution {execution}")
    out.raw(answer.content + (b"" if answer.content.endswith(b"\n") else b"\n"))


def _json_or_text(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def executions(
    platform: PlatformClient,
    extension: Annotated[str, typer.Argument(help="Only this extension's.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100)] = 20,
) -> None:
    """List what ran for the tenant, newest first, with what it used."""
    params: dict[str, str | int] = {"limit": limit} | ({"extension_id": extension} if extension else {})
    found = platform.api("GET", "/executions", params=params)["items"]
    rows = [
        (
            datetime.fromtimestamp(entry["started_at"] / 1000, UTC).strftime("%H:%M:%S"),
            entry["execution_id"],
            f"{entry['method']} {entry['extension_id']}{entry['path']}",
            str(entry["status"]) + (f" {entry['error_code']}" if entry["error_code"] else ""),
            f"{entry['receipt'].get('duration_ms', 0):.1f} ms",
        )
        for entry in found
    ]
    out.table(found, ("UTC", "EXECUTION", "REQUEST", "STATUS", "TIME"), rows, "Nothing has run yet.")


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


def usage(
    platform: PlatformClient,
    days: Annotated[int, typer.Option("--days", min=1, max=366)] = 7,
) -> None:
    """Show what each extension used, day by day."""
    today = datetime.now(UTC).date()
    params = {"since": str(today - timedelta(days=days - 1)), "until": str(today)}
    found = platform.api("GET", "/usage", params=params)["items"]
    rows = [
        (
            entry["window"],
            f"{entry['extension_id']} {entry['version']}",
            f"{entry['invocations']:,}",
            f"{entry['failures']:,}",
            f"{entry['cpu_ms']:,.0f} ms",
        )
        for entry in found
    ]
    out.table(found, ("DAY", "EXTENSION", "CALLS", "FAILED", "CPU"), rows, "Nothing was used.")


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Use")(on_platform(call))
    for command in (executions, execution, usage):
        app.command(rich_help_panel="Use")(on_platform(command))

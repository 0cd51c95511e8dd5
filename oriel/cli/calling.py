"""The command that uses an extension: call."""

import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from oriel.cli.options import ExtensionId, on_platform
from oriel.cli.output import EXIT_REFUSED, out, pairs
from oriel.client import PlatformClient
from oriel.errors import OrielError

EXECUTION_HEADER = "x-ext-execution-id"


def call(
    platform: PlatformClient,
    extension: ExtensionId,
    path: Annotated[str, typer.Argument(help="For example /items?open=1.")] = "/",
    method: Annotated[str, typer.Option("--method", "-X", help="Default: GET, or POST with --data.")] = "",
    data: Annotated[str, typer.Option("--data", "-d", help="The body; @FILE reads it, @- takes standard input.")] = "",
    header: Annotated[list[str] | None, typer.Option("--header", "-H", help="NAME=VALUE; repeat it.")] = None,
    record: Annotated[bool, typer.Option("--record", help="Keep the execution whole, to replay it.")] = False,
) -> None:
    """Call an extension's endpoint. The answer goes to standard output; a status of 400 or more exits with 1."""
    body = _body(data)
    headers = [("content-type", "application/json")] if body else []
    headers += list(pairs(header or [], "--header").items())
    headers += [("x-ext-record", "1")] if record else []
    answer = platform.call(extension, path, method=method or ("POST" if data else "GET"), body=body, headers=headers)
    _print(answer)
    if answer.is_error:
        raise typer.Exit(EXIT_REFUSED)


def _body(data: str) -> bytes:
    if data == "@-":
        return sys.stdin.buffer.read()
    if not data.startswith("@"):
        return data.encode()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise OrielError("invalid_input", f"{data[1:]} cannot be read: {error.strerror}.") from None


def _print(answer: httpx.Response) -> None:
    if out.as_json:
        out.result({"status": answer.status_code, "headers": dict(answer.headers), "body": _json_or_text(answer)}, "")
        return
    execution = answer.headers.get(EXECUTION_HEADER, "none")
    out.note(f"[bold]{answer.status_code}[/] {answer.headers.get('content-type', '')}  execution {execution}")
    if recorded := answer.headers.get("x-ext-recorded"):
        out.note(f"kept; fetch it: oriel fixture {execution}" if recorded == "kept" else f"not kept: {recorded}")
    out.raw(answer.content + (b"" if answer.content.endswith(b"\n") else b"\n"))


def _json_or_text(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Use")(on_platform(call))

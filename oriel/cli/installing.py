"""Commands of a tenant's administrator: install, configure, switch off, and see what happened."""

import json as jsonlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from oriel.cli.consent import choose_grants, describe
from oriel.cli.options import ExtensionId, on_platform
from oriel.cli.output import out, pairs
from oriel.client import PlatformClient
from oriel.versions import is_version

secret_app = typer.Typer(no_args_is_help=True, help="Secrets of an install: set, listed by name, never shown.")
Grants = Annotated[
    list[str] | None, typer.Option("--grant", help="A capability to grant, http.fetch=HOST,HOST with hosts; repeat it.")
]
GrantAll = Annotated[bool, typer.Option("--grant-all", help="Grant everything it asks for.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="A setting, NAME=VALUE; JSON or text; repeat it.")]


def install(
    platform: PlatformClient,
    extension: ExtensionId,
    version: Annotated[
        str, typer.Option("--version", help="A version, or a range to follow: ^1.2. Default: the latest.")
    ] = "",
    grant: Grants = None,
    grant_all: GrantAll = False,
    settings: Settings = None,
) -> None:
    """Install an extension for the tenant, after showing what it asks for. Again: changes nothing."""
    wanted = version if is_version(version) else "latest"
    view = platform.api("GET", f"/extensions/{extension}/versions/{wanted}")
    asks = view["capabilities"]
    out.note(f"[bold]{extension} {view['version']}[/] by {view['publisher']} asks for\n{describe(asks) or '  nothing'}")
    grants = choose_grants(asks, grant or [], grant_all, interactive=sys.stdin.isatty() and not out.as_json)
    config = parse_settings(settings or [])
    installed = platform.install(extension, version=version or view["version"], grants=grants, config=config)
    granted = ", ".join(entry["capability"] for entry in installed["grants"]) or "nothing"
    out.result(
        installed,
        f"[bold green]installed[/]  {extension} {installed['version']} for {installed['tenant_id']}, granted {granted}",
    )


def parse_settings(values: list[str]) -> dict[str, Any]:
    """`["limit=500", "title=Mine"]` gives `{"limit": 500, "title": "Mine"}`: JSON where it is JSON, else text."""
    return {name: _json_or_text(value) for name, value in pairs(values, "--set").items()}


def _json_or_text(value: str) -> Any:
    try:
        return jsonlib.loads(value)
    except ValueError:
        return value


def installs(platform: PlatformClient) -> None:
    """List the tenant's installs."""
    found = platform.listing("/installs")
    rows = [
        (entry["extension_id"], entry["version"], entry["status"], ", ".join(g["capability"] for g in entry["grants"]))
        for entry in found
    ]
    out.table(found, ("EXTENSION", "VERSION", "STATUS", "GRANTED"), rows, "Nothing is installed.")


def enable(platform: PlatformClient, extension: ExtensionId) -> None:
    """Enable a disabled install."""
    _change(platform, extension, {"status": "enabled"})


def disable(platform: PlatformClient, extension: ExtensionId) -> None:
    """Stop an install: nothing of it runs within seconds. Configuration, secrets and data stay."""
    _change(platform, extension, {"status": "disabled"})


def _change(platform: PlatformClient, extension: str, change: dict[str, Any]) -> None:
    view = platform.api("PATCH", f"/installs/{extension}", json=change)
    out.result(view, f"{extension} {view['version']} is {view['status']} for {view['tenant_id']}")


def config(
    platform: PlatformClient,
    extension: ExtensionId,
    settings: Settings = None,
) -> None:
    """Show the install's configuration, or change the settings named with --set."""
    current = platform.api("GET", f"/installs/{extension}")["config"]
    if settings:
        body = {"config": current | parse_settings(settings)}
        current = platform.api("PUT", f"/installs/{extension}/config", json=body)["config"]
    out.result(
        current, "\n".join(f"{name} = {jsonlib.dumps(value)}" for name, value in current.items()) or "No settings."
    )


def limits(
    platform: PlatformClient,
    extension: ExtensionId,
    lower: Annotated[list[str] | None, typer.Option("--set", help="A limit, as in timeout_ms=2000; repeat it.")] = None,
    unset: Annotated[list[str] | None, typer.Option("--unset", help="A limit to take back; repeat it.")] = None,
) -> None:
    """Show the limits set on an install, or change them. They lower what it gets; none of them raises it."""
    current = platform.api("GET", f"/installs/{extension}")["limits"]
    if lower or unset:
        wanted = current | parse_settings(lower or [])
        kept = {name: value for name, value in wanted.items() if name not in (unset or [])}
        current = platform.api("PATCH", f"/installs/{extension}", json={"limits": kept})["limits"]
    lines = "\n".join(f"{name} = {value:,}" for name, value in current.items())
    out.result(current, lines or "None of its own: the version's and the platform's apply.")


@secret_app.command("set")
@on_platform
def secret_set(
    platform: PlatformClient,
    extension: ExtensionId,
    name: Annotated[str, typer.Argument(help="The secret's name.")],
    value_file: Annotated[
        Path | None, typer.Option("--file", exists=True, dir_okay=False, help="Default: standard input, or a prompt.")
    ] = None,
    host: Annotated[list[str] | None, typer.Option("--host", help="A host it may be sent to; repeat it.")] = None,
    reference_only: Annotated[bool, typer.Option("--reference-only", help="The extension never sees it.")] = False,
) -> None:
    """Set a secret. The value comes from a file, standard input or a prompt, never from the command line."""
    body = {"value": _secret_value(value_file), "hosts": host or [], "reference_only": reference_only}
    view = platform.api("PUT", f"/installs/{extension}/secrets/{name}", json=body)
    out.result(view, f"{name} is set for {extension}")


def _secret_value(file: Path | None) -> str:
    if file:
        return file.read_text(encoding="utf-8").rstrip("\n")
    if sys.stdin.isatty():
        return str(typer.prompt("Value", hide_input=True, err=True))
    return sys.stdin.read().rstrip("\n")


@secret_app.command("list")
@on_platform
def secret_list(platform: PlatformClient, extension: ExtensionId) -> None:
    """List the secrets' names."""
    found = platform.listing(f"/installs/{extension}/secrets")
    rows = [(entry["name"], ", ".join(entry["hosts"]) or "any granted host") for entry in found]
    out.table(found, ("NAME", "HOSTS"), rows, "No secrets.")


@secret_app.command("delete")
@on_platform
def secret_delete(
    platform: PlatformClient,
    extension: ExtensionId,
    name: Annotated[str, typer.Argument(help="The secret's name.")],
) -> None:
    """Delete a secret."""
    platform.api("DELETE", f"/installs/{extension}/secrets/{name}")
    out.result({"deleted": name}, f"{name} is gone")


def register(app: typer.Typer) -> None:
    for command in (install, installs, enable, disable, config, limits):
        app.command(rich_help_panel="Tenant administrators")(on_platform(command))
    app.add_typer(secret_app, name="secret", rich_help_panel="Tenant administrators")

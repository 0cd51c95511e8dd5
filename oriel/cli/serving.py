"""Commands of whoever runs the platform on one machine: serve, demo, token, console, doctor."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from oriel import telemetry
from oriel.cli.options import DEFAULT_TENANT, LOCAL_ROLES, Json, local_token
from oriel.cli.output import EXIT_REFUSED, out
from oriel.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="ORIEL_DATA_DIR", help="Where everything is kept; default .oriel.")
]
Port = Annotated[int | None, typer.Option("--port", help="Product and API; default 8420, 0 for any.")]
UiPort = Annotated[int | None, typer.Option("--ui-port", help="The UI origin; default 8421, 0 for any.")]


def load_settings(data_dir: Path | None, port: int | None, ui_port: int | None) -> Settings:
    chosen = {"data_dir": data_dir, "port": port, "ui_port": ui_port}
    return Settings.load(**{name: value for name, value in chosen.items() if value is not None})


def serve(data_dir: DataDir = None, port: Port = None, ui_port: UiPort = None) -> None:
    """Run the platform on this machine, until Ctrl-C."""
    from oriel.local import LocalPlatform

    settings = load_settings(data_dir, port, ui_port)
    telemetry.configure(settings.log_level)
    with LocalPlatform(settings) as platform:
        out.note(
            f"[bold]Oriel[/] serves on {platform.base_url} and the extensions' UIs on {platform.ui_base_url}\n"
            f"Data in {settings.data_dir.resolve()}. Ctrl-C stops it."
        )
        platform.wait()


def demo(
    check: Annotated[bool, typer.Option("--check", help="Call everything, print what came back, stop.")] = False,
    data_dir: DataDir = None,
    port: Port = None,
    ui_port: UiPort = None,
) -> None:
    """Build the examples, start the platform, publish, install and call them, and show where to look."""
    from oriel.local.demo import run_demo, run_demo_check

    settings = replace(load_settings(data_dir, port, ui_port), log_level="warning")
    telemetry.configure(settings.log_level)
    if not check:
        run_demo(settings, out.note)
    elif not run_demo_check(settings, out.note):
        raise typer.Exit(EXIT_REFUSED)


def token(
    tenant: Annotated[str, typer.Option("--tenant", envvar="ORIEL_TENANT")] = DEFAULT_TENANT,
    role: Annotated[list[str] | None, typer.Option("--role", help="Repeat it; default: all local roles.")] = None,
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=60 * 24)] = 5,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Print a token of the local issuer, for curl and scripts on this machine."""
    settings = load_settings(data_dir, None, None)
    minted = local_token(settings, tenant, tuple(role or LOCAL_ROLES), minutes * 60)
    out.result({"token": minted, "tenant": tenant, "expires_in": minutes * 60}, minted)


def console(
    tenant: Annotated[str, typer.Option("--tenant", envvar="ORIEL_TENANT")] = DEFAULT_TENANT,
    role: Annotated[list[str] | None, typer.Option("--role", help="Repeat it; default: all local roles.")] = None,
    hours: Annotated[int, typer.Option("--hours", min=1, max=24, help="How long you stay signed in.")] = 8,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
    data_dir: DataDir = None,
    port: Port = None,
    json: Json = False,
) -> None:
    """Sign in to the console of the platform on this machine, in the browser."""
    settings = load_settings(data_dir, port, None)
    minted = local_token(settings, tenant, tuple(role or LOCAL_ROLES), hours * 3600)
    url = f"{settings.base_url}/console/#token={minted}"
    out.result({"url": url, "tenant": tenant, "expires_in": hours * 3600}, url)
    if open_browser and not json:
        webbrowser.open(url)


def doctor(data_dir: DataDir = None, json: Json = False) -> None:
    """Check what Oriel needs on this machine, and say how to mend what is missing."""
    from oriel.local.doctor import examine

    found = examine(load_settings(data_dir, None, None))
    marks = {"good": "[green]✓[/]", "missing": "[yellow]-[/]", "bad": "[red]✗[/]"}
    rows = [(marks[check.state], check.name, check.detail, check.remedy) for check in found]
    out.table([check.as_json() for check in found], ("", "CHECK", "FOUND", "REMEDY"), rows, "")
    if any(check.state == "bad" for check in found):
        raise typer.Exit(EXIT_REFUSED)


def register(app: typer.Typer) -> None:
    for command in (serve, demo, token, console, doctor):
        app.command(rich_help_panel="This machine")(command)

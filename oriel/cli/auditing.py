"""Commands of the audit: who changed what, and whether its chains are whole."""

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any

import typer

from oriel.cli.options import on_platform
from oriel.cli.output import EXIT_REFUSED, out
from oriel.cli.values import json_value, shown
from oriel.client import PlatformClient

audit_app = typer.Typer(no_args_is_help=True, help="Who changed what: chains of entries that nobody changes unseen.")
Platform = Annotated[bool, typer.Option("--platform", help="The platform's own chain; for operators.")]


@audit_app.command("list")
@on_platform
def audit_list(
    platform: PlatformClient,
    of_platform: Platform = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100)] = 20,
) -> None:
    """Show the newest entries: of the tenant, or of the platform."""
    path = "/audit/platform" if of_platform else "/audit"
    found = platform.api("GET", path, params={"limit": limit})["items"]
    rows = [
        (str(entry["sequence"]), shown(entry["at"]), entry["actor"], entry["action"], entry["target"], _changes(entry))
        for entry in found
    ]
    out.table(found, ("NO", "WHEN", "WHO", "WHAT", "OF", "CHANGED"), rows, "Nothing was changed yet.")


@audit_app.command("verify")
@on_platform
def audit_verify(
    platform: PlatformClient,
    of_platform: Platform = False,
    every: Annotated[bool, typer.Option("--all", help="Every chain, of all tenants; for operators.")] = False,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", exists=True, dir_okay=False, help="One that you kept.")
    ] = None,
) -> None:
    """Find removed, altered and moved entries, and an end that was cut off. Exits with 1 where there are some."""
    if every:
        found = _every_chain(platform)
    else:
        body = {"checkpoint": json_value(checkpoint.read_bytes(), "--checkpoint")} if checkpoint else {}
        path = "/audit/platform/verify" if of_platform else "/audit/verify"
        found = [platform.api("POST", path, json=body)]
    lines = [line for chain in found for line in _report(chain)]
    out.result(found if every else found[0], "\n".join(lines) or "There is no chain yet.")
    if not all(chain["intact"] for chain in found):
        raise typer.Exit(EXIT_REFUSED)


@audit_app.command("checkpoint")
@on_platform
def audit_checkpoint(platform: PlatformClient, of_platform: Platform = False) -> None:
    """Print the end of the chain, signed by the platform. Keep it elsewhere, for `audit verify --checkpoint`."""
    signed = platform.api("GET", "/audit/platform/checkpoint" if of_platform else "/audit/checkpoint")
    out.result(signed, jsonlib.dumps(signed))


def _every_chain(platform: PlatformClient) -> list[dict[str, Any]]:
    chains: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = platform.api("POST", "/audit/chains/verify", params={"cursor": cursor} if cursor else None)
        chains += page["items"]
        if (cursor := page["cursor"]) is None:
            return chains


def _report(chain: dict[str, Any]) -> list[str]:
    name = chain["tenant_id"] or "the platform"
    held = f", held against {chain['checkpoints']} checkpoints" if chain["checkpoints"] else ""
    state = "[bold green]whole[/]" if chain["intact"] else "[bold red]NOT WHOLE[/]"
    return [f"{name}: {chain['entries']} entries{held}, {state}"] + [
        f"  {fault['problem']}" for fault in chain["faults"]
    ]


def _changes(entry: dict[str, Any]) -> str:
    return ", ".join((entry["after"] or entry["before"] or {}).keys())


def register(app: typer.Typer) -> None:
    app.add_typer(audit_app, name="audit", rich_help_panel="Tenant administrators")

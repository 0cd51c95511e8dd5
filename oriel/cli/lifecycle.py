"""Commands of an install's life: another version, going back, grants one by one, leaving; and rollouts."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from oriel.cli.consent import choose_grants, describe
from oriel.cli.installing import GrantAll, Grants, Settings, parse_settings
from oriel.cli.options import ExtensionId, on_platform
from oriel.cli.output import out
from oriel.cli.values import parse_moment, shown
from oriel.client import PlatformClient
from oriel.errors import OrielError

rollout_app = typer.Typer(no_args_is_help=True, help="A version brought to some tenants first, then to more, or back.")
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="The version.")]
Percent = Annotated[int, typer.Option("--percent", min=1, max=100, help="Of the tenants that follow a range.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def upgrade(
    platform: PlatformClient,
    extension: ExtensionId,
    version: Annotated[
        str, typer.Argument(help="A version, or a range to follow; default: the newest it may be.")
    ] = "",
    grant: Grants = None,
    grant_all: GrantAll = False,
    settings: Settings = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
) -> None:
    """Run another version, after showing what differs. What it asks for beyond the old one is granted only by name."""
    path = f"/installs/{extension}/upgrade"
    seen = platform.api("GET", path, params={"version": version} if version else None)
    out.note(_differences(seen))
    if dry_run:
        out.result(seen, "Nothing was changed.")
        return
    interactive = sys.stdin.isatty() and not out.as_json
    asked = seen["needs_consent"]
    grants = choose_grants(asked, grant or [], grant_all, interactive) if grant or grant_all or interactive else []
    body: dict[str, Any] = {"grants": _whole_scopes(platform, extension, seen["to"], grants)}
    body |= {"version": version} if version else {}
    if settings:
        current = platform.api("GET", f"/installs/{extension}")["config"]
        body["config"] = current | parse_settings(settings)
    view = platform.api("POST", path, json=body)
    missing = ", ".join(ask["name"] for ask in view["missing"])
    without = f"; it goes without {missing}" if missing else ""
    out.result(view, f"{extension} runs {view['version']} for {view['tenant_id']}{without}")


def rollback(platform: PlatformClient, extension: ExtensionId) -> None:
    """Go back to the version before, with everything that was set and stored, and stay there."""
    view = platform.api("POST", f"/installs/{extension}/rollback")
    out.result(view, f"{extension} runs {view['version']} again for {view['tenant_id']}")


def grant(
    platform: PlatformClient,
    extension: ExtensionId,
    named: Annotated[list[str], typer.Argument(metavar="CAPABILITY…", help="http.fetch=HOST,HOST with hosts.")],
    until: Annotated[
        str, typer.Option("--until", help="When the grants end: 2026-12-31, or with a time, in UTC.")
    ] = "",
    only: Annotated[bool, typer.Option("--only", help="And take all others back.")] = False,
) -> None:
    """Grant capabilities, or grant them otherwise: with other hosts, or an end. The other grants stay."""
    ends = {"expires_at": parse_moment(until, "--until")} if until else {}
    installed = platform.api("GET", f"/installs/{extension}")
    view = platform.api("GET", f"/extensions/{extension}/versions/{installed['version']}")
    grants = choose_grants(view["capabilities"], named, everything=False, interactive=False)
    if only:
        body = {"grants": [one | ends for one in grants]}
        view = platform.api("PUT", f"/installs/{extension}/grants", json=body)
    else:
        for one in grants:
            capability = one.pop("capability")
            view = platform.api("PUT", f"/installs/{extension}/grants/{capability}", json=one | ends)
    out.result(view, _granted(extension, view))


def revoke(
    platform: PlatformClient,
    extension: ExtensionId,
    capability: Annotated[str, typer.Argument(help="The capability to take back.")],
) -> None:
    """Take one capability back; it holds within seconds."""
    view = platform.api("DELETE", f"/installs/{extension}/grants/{capability}")
    out.result(view, _granted(extension, view))


def uninstall(platform: PlatformClient, extension: ExtensionId, yes: Yes = False) -> None:
    """Stop an install. Its data is kept for some days, to be restored or exported, and then deleted."""
    _ask(yes, f"Uninstall {extension}?")
    view = platform.api("DELETE", f"/installs/{extension}")
    until = shown(view["delete_at"])
    out.result(view, f"{extension} is uninstalled; until {until} UTC it can be restored: oriel restore {extension}")


def restore(platform: PlatformClient, extension: ExtensionId) -> None:
    """Take an uninstall back: everything is there again. Enable it when you like."""
    view = platform.api("POST", f"/installs/{extension}/restore")
    out.result(view, f"{extension} {view['version']} is back, {view['status']}: oriel enable {extension}")


def delete(platform: PlatformClient, extension: ExtensionId, yes: Yes = False) -> None:
    """Delete an uninstalled install and all its data at once, and print the receipt. This is not taken back."""
    _ask(yes, f"Delete all data of {extension}? This is not taken back.")
    receipt = platform.api("POST", f"/installs/{extension}/delete")
    counts = ", ".join(f"{count} {kind}" for kind, count in receipt["deleted"].items() if count)
    out.result(receipt, f"{extension} is deleted: {counts}\nreceipt {receipt['audit_id']}, in the audit")


def export(
    platform: PlatformClient,
    extension: ExtensionId,
    to: Annotated[Path | None, typer.Option("--out", help="Default: EXTENSION.ndjson.")] = None,
) -> None:
    """Download all data of an install, as JSON lines: configuration, grants, names of secrets, records, executions."""
    path = to or Path(f"{extension}.ndjson")
    size = platform.save(f"/installs/{extension}/export", path)
    out.result({"file": str(path), "bytes": size}, f"{path}: {size:,} bytes")


@rollout_app.command("start")
@on_platform
def rollout_start(
    platform: PlatformClient, extension: ExtensionId, version: VersionArgument, percent: Percent = 10
) -> None:
    """Bring a version to a share of the tenants that follow a range with it."""
    path = f"/extensions/{extension}/versions/{version}/rollout"
    _show(platform.api("POST", path, json={"percent": percent}))


@rollout_app.command("raise")
@on_platform
def rollout_raise(
    platform: PlatformClient, extension: ExtensionId, version: VersionArgument, percent: Percent = 100
) -> None:
    """Bring it to more of them; one that was paused or rolled back goes on."""
    _change(platform, extension, version, {"percent": percent, "status": "active"})


@rollout_app.command("pause")
@on_platform
def rollout_pause(platform: PlatformClient, extension: ExtensionId, version: VersionArgument) -> None:
    """Bring it to nobody more for now."""
    _change(platform, extension, version, {"status": "paused"})


@rollout_app.command("back")
@on_platform
def rollout_back(platform: PlatformClient, extension: ExtensionId, version: VersionArgument) -> None:
    """Bring all that it moved back to the version before, at once."""
    _change(platform, extension, version, {"status": "rolled_back"})


@rollout_app.command("list")
@on_platform
def rollout_list(platform: PlatformClient, extension: ExtensionId) -> None:
    """List an extension's rollouts, and how far they have come."""
    found = platform.listing(f"/extensions/{extension}/rollouts")
    rows = [
        (
            one["version"],
            one["status"],
            f"{one['percent']} %",
            *(str(one[n]) for n in ("followers", "moved", "waiting")),
        )
        for one in found
    ]
    columns = ("VERSION", "STATUS", "SHARE", "FOLLOWERS", "MOVED", "WAIT FOR CONSENT")
    out.table(found, columns, rows, "Nothing is rolled out.")


def _change(platform: PlatformClient, extension: str, version: str, change: dict[str, Any]) -> None:
    _show(platform.api("PATCH", f"/extensions/{extension}/versions/{version}/rollout", json=change))


def _show(rollout: dict[str, Any]) -> None:
    name = f"{rollout['extension_id']} {rollout['version']}"
    out.result(rollout, f"{name}: {rollout['status'].replace('_', ' ')}, {rollout['percent']} % of the tenants")


def _differences(seen: dict[str, Any]) -> str:
    """What an administrator looks at before saying yes."""
    changes = seen["changes"]
    lines = [f"[bold]{seen['extension_id']}[/] {seen['from']} → {seen['to']} ({seen['direction']})"]
    for what in ("endpoints", "settings", "hosts", "operations", "events", "schedules"):
        lines += [f"  {what}: {text}" for text in [_signed(changes[what])] if text]
    if changes["signer"]["before"] != changes["signer"]["after"]:
        lines.append(f"  [yellow]signed with another key[/]: {changes['signer']['after']}")
    lines.append(f"  size: {changes['size']['before']:,} → {changes['size']['after']:,} bytes")
    lines += [f"  [red]setting {found['at']} {found['message']}[/]" for found in seen["config_findings"]]
    less = ", ".join(ask["name"] for ask in changes["capabilities"]["less"])
    lines += [f"  it no longer asks for all of {less}"] if less else []
    lines += [f"  it asks for more:\n{describe(seen['needs_consent'])}"] if seen["needs_consent"] else []
    return "\n".join(lines)


def _signed(change: dict[str, Any]) -> str:
    changed = [f"~{one['name']}" for one in change.get("changed", ())]
    return "  ".join([*(f"+{n}" for n in change["added"]), *(f"-{n}" for n in change["removed"]), *changed])


def _whole_scopes(
    platform: PlatformClient, extension: str, version: str, grants: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Consent to what is new of a capability is consent to it beside what was granted of it before."""
    if not grants:
        return []
    held = {one["capability"]: one for one in platform.api("GET", f"/installs/{extension}")["grants"]}
    asks = platform.api("GET", f"/extensions/{extension}/versions/{version}")["capabilities"]
    asked = {ask["name"]: ask for ask in asks}
    for one in grants:
        for scope in ("hosts", "operations", "topics"):
            before = held.get(one["capability"], {}).get(scope, ())
            still = [name for name in before if name in asked[one["capability"]][scope]]
            if scope in one:
                one[scope] = sorted({*one[scope], *still})
    return grants


def _granted(extension: str, view: dict[str, Any]) -> str:
    ends = (
        f"{one['capability']} until {shown(one['expires_at'])} UTC" if one["expires_at"] else one["capability"]
        for one in view["grants"]
    )
    return f"{extension} may use {', '.join(ends) or 'nothing'}"


def _ask(yes: bool, question: str) -> None:
    if not yes and not typer.confirm(question, err=True):
        raise OrielError("consent_required", "Nothing was changed.", hint="Say yes, or give --yes.")


def register(app: typer.Typer) -> None:
    for command in (upgrade, rollback, grant, revoke, uninstall, restore, export, delete):
        app.command(rich_help_panel="Tenant administrators")(on_platform(command))
    app.add_typer(rollout_app, name="rollout", rich_help_panel="Authors")

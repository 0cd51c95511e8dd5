"""Commands that publish: publish, list, show, withdraw, and the operator's publishers, keys and quarantine."""

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any

import typer

from oriel.cli.authoring import BundleFile, bundle_path, envelope_path
from oriel.cli.consent import describe
from oriel.cli.options import ExtensionId, on_platform
from oriel.cli.output import out
from oriel.cli.values import parse_moment, shown
from oriel.client import PlatformClient
from oriel.errors import OrielError

PublisherName = Annotated[str, typer.Argument(metavar="PUBLISHER", help="For example com.acme.")]
publisher_app = typer.Typer(no_args_is_help=True, help="Publishers and the keys that speak for them.")
quarantine_app = typer.Typer(no_args_is_help=True, help="Bundles that run nowhere because they ended their workers.")


def publish(
    platform: PlatformClient,
    bundle: BundleFile = Path(),
    envelope: Annotated[Path | None, typer.Option("--envelope", help="Default: BUNDLE.dsse.json.")] = None,
) -> None:
    """Publish a signed bundle and wait until it is ready. Running it again goes on where it stopped."""
    path = bundle_path(bundle)
    signature = envelope or envelope_path(path)
    if not signature.is_file():
        raise OrielError("signature_missing", f"There is no signature at {signature}.")
    signed = _envelope(signature)
    with out.progress("publishing") as progress:
        session = platform.publish(path.read_bytes(), signed, progress)
    for warning in session["findings"]:
        out.note(f"[yellow]warning[/]  {warning['at']} {warning['message']}")
    out.result(
        session,
        f"[bold green]ready[/]  {session['extension_id']} {session['version']}\n{session['content_hash']}",
    )


def _envelope(path: Path) -> dict[str, Any]:
    try:
        envelope = jsonlib.loads(path.read_bytes())
    except ValueError:
        envelope = None
    if not isinstance(envelope, dict):
        hint = "Sign the bundle again: oriel sign."
        raise OrielError("signature_invalid", f"{path} is not a signature: it holds no JSON object.", hint=hint)
    return envelope


def extensions(platform: PlatformClient) -> None:
    """List what is published."""
    found = platform.listing("/extensions")
    rows = [(entry["extension_id"], entry["latest"] or "-", entry["publisher"]) for entry in found]
    out.table(found, ("EXTENSION", "LATEST", "PUBLISHER"), rows, "Nothing is published yet.")


def show(
    platform: PlatformClient,
    extension: ExtensionId,
    version: Annotated[str, typer.Option("--version", help="Default: the latest.")] = "latest",
) -> None:
    """Look before installing: who made it, what it asks for, what it offers."""
    view = platform.api("GET", f"/extensions/{extension}/versions/{version}")
    out.result(view, _card(view))


def _card(view: dict[str, Any]) -> str:
    manifest = view["manifest"]
    endpoints = "\n".join(f"  {entry['method']:<6} {entry['path']}" for entry in manifest["api"]["endpoints"])
    return (
        f"[bold]{manifest.get('title') or view['extension_id']}[/]  {view['extension_id']} {view['version']}"
        f" ({view['status']})\n{manifest.get('description') or ''}\n"
        f"published by {view['publisher']}, signed with {view['signer_key_id']}\n{view['content_hash']}\n\n"
        f"It asks for\n{describe(view['capabilities']) or '  nothing'}\n\nIt answers\n{endpoints or '  nothing'}"
    )


def withdraw(
    platform: PlatformClient,
    extension: ExtensionId,
    version: Annotated[str, typer.Argument(help="The version.")],
    status: Annotated[str, typer.Option("--status", help="yanked, deprecated, or ready to restore it.")] = "yanked",
) -> None:
    """Yank a version: it stops running everywhere within seconds. Nothing is deleted; `ready` restores it."""
    view = platform.api("POST", f"/extensions/{extension}/versions/{version}/status", json={"status": status})
    out.result(view, f"{extension} {version} is {status}")


@publisher_app.command("add")
@on_platform
def publisher_add(
    platform: PlatformClient,
    publisher: PublisherName,
    key: Annotated[Path | None, typer.Option("--key", exists=True, dir_okay=False, help="A public key, PEM.")] = None,
    prefix: Annotated[list[str] | None, typer.Option("--prefix", help="Default: the publisher's own name.")] = None,
    not_before: Annotated[str, typer.Option("--not-before", help="From when the key counts; default: now.")] = "",
    not_after: Annotated[str, typer.Option("--not-after", help="Until when: 2026-12-31, or with a time, in UTC.")] = "",
) -> None:
    """Register a publisher, the names it owns, and a key. Adding it again changes nothing but the key's window."""
    window = {"not_before": (not_before, "--not-before"), "not_after": (not_after, "--not-after")}
    times = {name: parse_moment(*given) for name, given in window.items() if given[0]}
    if times and key is None:
        raise OrielError("invalid_input", "A window is a key's, and no key is given.", hint="Name it with --key.")
    view = platform.api("POST", "/publishers", json={"publisher": publisher, "prefixes": prefix or [publisher]})
    if key:
        body = {"public_key_pem": key.read_text(encoding="ascii"), **times}
        view["key"] = platform.api("POST", f"/publishers/{publisher}/keys", json=body)
    speaks = f" and may be signed for by {view['key']['key_id']}" if key else ""
    out.result(view, f"{publisher} owns {', '.join(view['prefixes'])}{speaks}")


@publisher_app.command("list")
@on_platform
def publisher_list(platform: PlatformClient) -> None:
    """List the publishers."""
    found = platform.listing("/publishers")
    rows = [
        (entry["publisher"], ", ".join(entry["prefixes"]), "revoked" if entry["revoked_at"] else "active")
        for entry in found
    ]
    out.table(found, ("PUBLISHER", "OWNS", "STATUS"), rows, "There is no publisher yet: oriel publisher add NAME.")


@publisher_app.command("show")
@on_platform
def publisher_show(platform: PlatformClient, publisher: PublisherName) -> None:
    """Show what a publisher owns, and the keys that speak for it."""
    view = platform.api("GET", f"/publishers/{publisher}")
    owns = f"[bold]{publisher}[/] owns {', '.join(view['prefixes'])}" + (", revoked" if view["revoked_at"] else "")
    out.result(view, "\n".join([owns, *(f"  {key['key_id']}  {_window(key)}" for key in view["keys"])]))


def _window(key: dict[str, Any]) -> str:
    if key["revoked_at"]:
        return f"revoked {shown(key['revoked_at'])} UTC"
    ends = f" until {shown(key['not_after'])} UTC" if key["not_after"] else ""
    return f"from {shown(key['not_before'])} UTC{ends}"


@publisher_app.command("revoke")
@on_platform
def publisher_revoke(
    platform: PlatformClient,
    publisher: PublisherName,
    key_id: Annotated[str, typer.Option("--key-id", help="Revoke this key only.")] = "",
) -> None:
    """Stop a publisher, or one of its keys: what it signed stops running everywhere within seconds."""
    path = f"/publishers/{publisher}/keys/{key_id}/revoke" if key_id else f"/publishers/{publisher}/revoke"
    view = platform.api("POST", path)
    out.result(view, f"{key_id or publisher} is revoked")


def collect(
    platform: PlatformClient,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and delete nothing.")] = False,
) -> None:
    """Delete blobs that no version refers to and that are older than a day. The platform does so daily by itself."""
    found = platform.api("POST", "/collection", json={"dry_run": dry_run})
    done = "would go" if dry_run else "are gone"
    out.result(found, f"{found['blobs']:,} of {found['examined']:,} blobs {done}, {found['bytes']:,} bytes")


@quarantine_app.command("list")
@on_platform
def quarantine_list(platform: PlatformClient) -> None:
    """List the bundles that run nowhere because they ended their workers."""
    found = platform.listing("/quarantine")
    rows = [(entry["content_hash"], entry["extension_id"], entry["reason"]) for entry in found]
    out.table(found, ("CONTENT HASH", "EXTENSION", "REASON"), rows, "Nothing is in quarantine.")


@quarantine_app.command("lift")
@on_platform
def quarantine_lift(
    platform: PlatformClient,
    content_hash: Annotated[str, typer.Argument(metavar="CONTENT_HASH", help="As 'oriel quarantine list' shows it.")],
) -> None:
    """Let a bundle run again, within seconds. What it does to its workers is counted anew."""
    platform.api("DELETE", f"/quarantine/{content_hash}")
    out.result({"lifted": content_hash}, f"{content_hash} may run again")


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Authors")(on_platform(publish))
    for command in (extensions, show, withdraw):
        app.command(rich_help_panel="Catalogue")(on_platform(command))
    app.command(rich_help_panel="Operators")(on_platform(collect))
    app.add_typer(publisher_app, name="publisher", rich_help_panel="Operators")
    app.add_typer(quarantine_app, name="quarantine", rich_help_panel="Operators")

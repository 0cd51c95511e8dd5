"""Commands about machines, bounds and seals: API keys, quotas of tenants and installs, the data key."""

from typing import Annotated, Any

import typer

from oriel.cli.installing import parse_settings
from oriel.cli.options import on_platform
from oriel.cli.output import out
from oriel.cli.values import shown_day
from oriel.client import PlatformClient
from oriel.quotas import DAILY

key_app = typer.Typer(no_args_is_help=True, help="API keys of machines: made, listed, revoked.")
quota_app = typer.Typer(no_args_is_help=True, help="What tenants and installs may ask for: rates, at once, in a day.")
data_key_app = typer.Typer(no_args_is_help=True, help="The key under which secrets are sealed.")
Permissions = Annotated[
    list[str], typer.Option("--permission", help="invoke:read, invoke:write, install, configure, publish; repeat it.")
]
Platform = Annotated[bool, typer.Option("--platform", help="A key of no tenant: to publish, or to operate.")]
Values = Annotated[list[str] | None, typer.Option("--set", help="A quota, as in burst=200; repeat it.")]
Unset = Annotated[list[str] | None, typer.Option("--unset", help="A quota to take back; repeat it.")]


@key_app.command("create")
@on_platform
def create_key(
    platform: PlatformClient,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    permission: Permissions,
    extension: Annotated[str, typer.Option("--extension", help="The one extension that it is for.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How long it is good for.")] = 90,
    of_platform: Platform = False,
) -> None:
    """Make a key and print it: this once, never again."""
    body: dict[str, Any] = {"name": name, "permissions": permission, "days": days}
    body |= {"extension_id": extension} if extension else {}
    made = platform.api("POST", _keys(of_platform), json=body)
    out.note(f"{made['key_id']} expires on {shown_day(made['expires_at'])}. It is shown this once:")
    out.result(made, made["token"])


@key_app.command("list")
@on_platform
def list_keys(platform: PlatformClient, of_platform: Platform = False) -> None:
    """List the keys, revoked and expired ones too."""
    found = platform.listing(_keys(of_platform))
    rows = [
        (
            key["key_id"],
            key["name"],
            key["state"],
            ", ".join(key["permissions"]),
            key["extension_id"] or "",
            shown_day(key["expires_at"]),
        )
        for key in found
    ]
    out.table(found, ("KEY", "NAME", "STATE", "MAY", "FOR", "UNTIL"), rows, "There are no keys.")


@key_app.command("revoke")
@on_platform
def revoke_key(
    platform: PlatformClient,
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="As `oriel key list` shows it.")],
    of_platform: Platform = False,
) -> None:
    """End a key: within seconds nothing takes it any more."""
    revoked = platform.api("DELETE", f"{_keys(of_platform)}/{key_id}")
    out.result(revoked, f"{key_id} is revoked")


@quota_app.command("show")
@on_platform
def show_quotas(
    platform: PlatformClient,
    of: Annotated[str, typer.Option("--of", help="Another tenant, for operators.")] = "",
) -> None:
    """Show what holds for the tenant and its installs, and what was used today."""
    _show(platform.api("GET", f"/tenants/{of}/quotas" if of else "/quotas"))


@quota_app.command("set")
@on_platform
def set_quotas(
    platform: PlatformClient,
    of: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant that is bounded.")],
    extension: Annotated[str, typer.Argument(help="One of its extensions; without it, the tenant.")] = "",
    values: Values = None,
    unset: Unset = None,
) -> None:
    """Bound a tenant, or one of its installs: these values in place of the defaults."""
    view = platform.api("GET", f"/tenants/{of}/quotas")
    lines = {"": view["tenant"], **{line["extension_id"]: line for line in view["installs"]}}
    own = _changed(lines.get(extension, {}).get("own", {}), values, unset)
    _show(platform.api("PUT", f"/tenants/{of}/quotas" + (f"/{extension}" if extension else ""), json=own))


@quota_app.command("defaults")
@on_platform
def quota_defaults(
    platform: PlatformClient,
    scope: Annotated[str, typer.Argument(metavar="[tenant|install]", help="What the values are for.")] = "tenant",
    values: Values = None,
    unset: Unset = None,
) -> None:
    """Show what holds where nothing else is said, or change it for all tenants or all installs."""
    view = platform.api("GET", "/quota-defaults")
    if values or unset:
        body = view | {scope: _changed(view.get(scope, {}), values, unset)}
        view = platform.api("PUT", "/quota-defaults", json=body)
    rows = [(which, name, f"{value:,}") for which, quotas in view.items() for name, value in quotas.items()]
    out.table(view, ("FOR EACH", "QUOTA", "VALUE"), rows, "Nothing is bounded.")


@data_key_app.command("rotate")
@on_platform
def rotate_data_key(platform: PlatformClient) -> None:
    """Seal with a new key from now on; what was sealed before is sealed anew in the background."""
    view = platform.api("POST", "/data-key/rotate")
    out.result(view, f"New secrets are sealed under {view['key_id']}; the others follow. See: oriel data-key show")


@data_key_app.command("show")
@on_platform
def show_data_key(platform: PlatformClient) -> None:
    """Show the last rotation and how far it got."""
    view = platform.api("GET", "/data-key")
    done = f"done: {view['resealed']:,} sealed anew, {view['failed']:,} could not be opened"
    state = done if view["resealed_at"] else "under way"
    out.result(view, f"{view['key_id']} of {shown_day(view['created_at'])}, {state}")


def _show(view: dict[str, Any]) -> None:
    lines = [("all", view["tenant"]), *((line["extension_id"], line) for line in view["installs"])]
    rows = [
        (who, name, f"{value:,}", f"{line['used'][name]:,}" if name in DAILY else "")
        for who, line in lines
        for name, value in line["quotas"].items()
    ]
    out.table(view, ("OF", "QUOTA", "ALLOWED", "USED TODAY"), rows, "Nothing is bounded.")


def _changed(current: dict[str, Any], values: list[str] | None, unset: list[str] | None) -> dict[str, Any]:
    wanted = current | parse_settings(values or [])
    return {name: value for name, value in wanted.items() if name not in (unset or [])}


def _keys(of_platform: bool) -> str:
    return "/platform/api-keys" if of_platform else "/api-keys"


def register(app: typer.Typer) -> None:
    for group, name in ((key_app, "key"), (quota_app, "quota"), (data_key_app, "data-key")):
        app.add_typer(group, name=name, rich_help_panel="Operators")

"""Options that several commands share, and how a command reaches the platform."""

import functools
import inspect
import os
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from oriel.cli.output import out
from oriel.cli.profile import Profile, load_profile
from oriel.client import PlatformClient
from oriel.errors import OrielError
from oriel.keyring import Keyring
from oriel.local.tokens import mint_token
from oriel.settings import Settings


def _use_json(value: bool) -> bool:
    out.as_json = value
    return value


Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.", callback=_use_json)]
Url = Annotated[str, typer.Option("--url", envvar="ORIEL_URL", help="The platform; by default the local one.")]
Token = Annotated[
    str, typer.Option("--token", envvar="ORIEL_TOKEN", help="A bearer token; by default one of the local keyring.")
]
Tenant = Annotated[str, typer.Option("--tenant", envvar="ORIEL_TENANT", help="The tenant, for a local token.")]
ExtensionId = Annotated[str, typer.Argument(metavar="EXTENSION", help="For example com.acme.reports.")]

_PLATFORM_OPTIONS: tuple[tuple[str, object, object], ...] = (
    ("url", "", Url),
    ("token", "", Token),
    ("tenant", "", Tenant),
    ("json", False, Json),
)

DEFAULT_TENANT = "northwind"
LOCAL_ROLES = ("admin", "publisher", "operator", "product")


def connect(url: str, token: str, tenant: str = "") -> PlatformClient:
    """A client of the platform at `url`, or of the local one, with `token` or one of the local keyring.

    Raises:
        OrielError: `unauthenticated`, where there is neither a token nor a local keyring.
    """
    settings = Settings.load()
    remembered = None if url else load_profile()
    if remembered is not None:
        return PlatformClient(remembered.url, token or _no_token(remembered))
    return PlatformClient(url or settings.base_url, token or local_token(settings, tenant or DEFAULT_TENANT))


def _no_token(profile: Profile) -> NoReturn:
    issuer = f" of {profile.issuer}" if profile.issuer else ""
    hint = f"Set ORIEL_TOKEN to a token{issuer}; 'oriel logout' goes back to the platform on this machine."
    raise OrielError("unauthenticated", f"There is no token for {profile.url}.", hint=hint)


def local_token(settings: Settings, tenant: str, roles: tuple[str, ...] = LOCAL_ROLES, lifetime: int = 300) -> str:
    """A token of the local issuer for the person at this machine."""
    if not settings.keyring_path.exists():
        raise OrielError(
            "unauthenticated",
            f"There is no token, and no local keyring at {settings.keyring_path} to make one with.",
            hint="Start the platform here with 'oriel serve', name its data in ORIEL_DATA_DIR, or set ORIEL_TOKEN.",
        )
    return mint_token(
        Keyring.open(settings.keyring_path).issuer_key,
        subject=os.environ.get("USER", "local"),
        tenant=tenant,
        roles=roles,
        audience=settings.oidc_audience,
        issuer=settings.issuer,
        lifetime=lifetime,
    )


def on_platform(command: Callable[..., None]) -> Callable[..., None]:
    """Open the platform as a command's first parameter, with the options that say which one and as whom."""

    @functools.wraps(command)
    def run(url: str, token: str, tenant: str, json: bool, **arguments: Any) -> None:
        with connect(url, token, tenant) as platform:
            command(platform, **arguments)

    own = list(inspect.signature(command).parameters.values())[1:]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, default, annotation in (
            ("url", "", Url),
            ("token", "", Token),
            ("tenant", "", Tenant),
            ("json", False, Json),
        )
    ]
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + shared
    setattr(run, "__signature__", inspect.Signature(parameters))  # noqa: B010 - what typer reads; no function's own
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run

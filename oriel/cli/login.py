"""Commands that say which platform the others speak to: login, logout."""

from typing import Annotated, Any

import typer

from oriel.aws.target import Target
from oriel.cli.options import Json
from oriel.cli.output import out
from oriel.cli.profile import Profile, forget_profile, save_profile
from oriel.errors import OrielError

READ_SECONDS = 10


def login(
    stack: Annotated[
        str, typer.Option("--stack", help="A CloudFormation stack of Oriel's; its outputs are read.")
    ] = "",
    region: Annotated[str, typer.Option("--region", help="The stack's; by default the environment's.")] = "",
    url: Annotated[str, typer.Option("--url", help="A platform's address, in place of a stack.")] = "",
    json: Json = False,
) -> None:
    """Remember a platform: the commands that follow speak to it.

    Tokens are your identity provider's and are not kept: set ORIEL_TOKEN, or give --token.
    """
    if bool(stack) == bool(url):
        raise OrielError("invalid_input", "Name a stack or an address, one of them.", hint="oriel login --stack NAME")
    profile = _of_stack(stack, region) if stack else Profile(url=url.rstrip("/"))
    save_profile(profile)
    issued = f" Its tokens come from {profile.issuer}." if profile.issuer else ""
    said = {"url": profile.url, "ui_origin": profile.ui_origin, "issuer": profile.issuer, "stack": profile.stack}
    out.result(said, f"Commands speak to [bold]{profile.url}[/] from now on.{issued}")


def logout(json: Json = False) -> None:
    """Forget the platform: the commands that follow speak to the one on this machine."""
    existed = forget_profile()
    out.result({"forgotten": existed}, "Forgotten." if existed else "There was nothing to forget.")


def _of_stack(name: str, region: str) -> Profile:
    outputs = _outputs(name, region)
    missing = {"ApiUrl", "UiOrigin", "Issuer", "Audience"} - outputs.keys()
    if missing:
        detail = f"The stack {name} has no output {', '.join(sorted(missing))}."
        raise OrielError("invalid_input", detail, hint="Name a stack that Oriel's template.yaml made.")
    return Profile(
        url=outputs["ApiUrl"].rstrip("/"),
        ui_origin=outputs["UiOrigin"],
        issuer=outputs["Issuer"],
        audience=outputs["Audience"],
        stack=name,
    )


def _outputs(name: str, region: str) -> dict[str, str]:
    """The outputs of a stack.

    Raises:
        OrielError: `not_found`; `unavailable`, where CloudFormation cannot be asked.
    """
    try:
        from botocore.exceptions import BotoCoreError, ClientError

        from oriel.aws.botocore_client import make_client
    except ImportError:
        raise OrielError("unavailable", "botocore is not installed.", hint="pip install 'oriel[aws]'") from None
    try:
        client = make_client("cloudformation", Target(name, region or None), None, read_seconds=READ_SECONDS)
        stacks: list[dict[str, Any]] = client.describe_stacks(StackName=name)["Stacks"]
        client.close()
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        kind = "not_found" if code == "ValidationError" else "unavailable"
        raise OrielError(kind, message, hint="Check the name, the region and your AWS credentials.") from None
    except BotoCoreError as error:
        raise OrielError("unavailable", f"CloudFormation cannot be asked: {error}") from None
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stacks[0].get("Outputs", [])}


def register(app: typer.Typer) -> None:
    for command in (login, logout):
        app.command(rich_help_panel="This machine")(command)

"""Commands about the registry's store."""

from typing import Annotated

import typer

from oriel.cli.options import Json
from oriel.cli.output import out
from oriel.cli.serving import DataDir, load_settings

store_app = typer.Typer(no_args_is_help=True, help="The registry's store.")


@store_app.callback()
def _group() -> None:
    pass  # one command alone would otherwise become the group


def migrate(
    application_role: Annotated[
        str,
        typer.Option("--application-role", help="PostgreSQL: a role that may then read and write all tables."),
    ] = "",
    gateway_role: Annotated[
        str,
        typer.Option("--gateway-role", help="PostgreSQL: the gateway's own, which then writes what happens."),
    ] = "",
    runner_role: Annotated[
        str,
        typer.Option("--runner-role", help="PostgreSQL: the runner's own, for guests' records, events, schedules."),
    ] = "",
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Bring the tables of ORIEL_STORE to what this version of Oriel needs, as a role that owns them.

    It is one transaction. Make a backup before: there is no way back but that.
    """
    from oriel.store.migrating import migrate_store
    from oriel.store.opening import without_password

    url = load_settings(data_dir, None, None).store_url
    before, after = migrate_store(url, registry=application_role, gateway=gateway_role, runner=runner_role)
    done = "is up to date" if before == after else f"was {f'at {before}' if before else 'empty'} and is migrated"
    out.result(
        {"store": without_password(url), "before": before, "after": after},
        f"{without_password(url)} {done}: revision [bold]{after}[/]",
    )


def register(app: typer.Typer) -> None:
    store_app.command()(migrate)
    app.add_typer(store_app, name="store", rich_help_panel="Operators")

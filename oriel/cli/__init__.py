"""The command `oriel`: thin commands over the library.

Exit codes: 0 done; 1 refused, with the reason and the remedy; 2 the command line is wrong; 3 nobody answers, try
again; 130 interrupted.
"""

import sys
from collections.abc import Callable
from functools import cache

import typer
from typer.main import get_command

from oriel import __version__
from oriel.cli import (
    auditing,
    authoring,
    calling,
    creating,
    events,
    governing,
    installing,
    lifecycle,
    login,
    page,
    publishing,
    replaying,
    schedules,
    serving,
    storing,
    watching,
)
from oriel.cli.output import EXIT_REFUSED, out
from oriel.errors import OrielError

app = typer.Typer(
    name="oriel",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Run your customers' and partners' extensions safely.",
)
using = (calling, watching, events, schedules)
making = (creating, authoring, replaying, page, publishing)
groups = (serving, login, *making, installing, lifecycle, *using, auditing, governing, storing)
for group in groups:
    group.register(app)


def _print_version(value: bool) -> None:
    if value:
        out.result({"version": __version__}, __version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    pass


@cache
def commands() -> Callable[[list[str]], object]:
    """The whole command line, made of its functions once: that takes longer than most commands do."""
    return get_command(app)


def main() -> None:
    """Run one command and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    try:
        commands()(arguments)
    except OrielError as error:
        return out.error(error)
    except SystemExit as end:  # how typer ends, well or badly
        return end.code if isinstance(end.code, int) else EXIT_REFUSED
    return 0

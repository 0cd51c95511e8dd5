"""The command that begins an extension: new."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oriel import scaffold
from oriel.cli.options import Json
from oriel.cli.output import out


class Language(StrEnum):
    PYTHON = "python"
    JAVASCRIPT = "javascript"


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A reverse domain, for example com.acme.notes.")],
    folder: Annotated[Path | None, typer.Argument(help="A new or empty folder; default: NAME's last part.")] = None,
    language: Annotated[Language, typer.Option("--language", "-l", help="What it is written in.")] = Language.PYTHON,
    title: Annotated[str, typer.Option("--title", help="What people read; default: made of NAME's last part.")] = "",
    json: Json = False,
) -> None:
    """Begin an extension: a folder with manifest, handler, page and tests that builds as it is."""
    target = folder or Path(name.rpartition(".")[2])
    created = scaffold.create(target, name, language.value, title=title)
    where = os.path.relpath(target)
    out.result(
        {"folder": str(target), "name": name, "files": [str(path) for path in created.paths]},
        f"[bold]{where}[/]  {name}, {len(created.paths)} files\n"
        f"next     cd {where} && oriel build && oriel pack\n"
        f"then     README.md there says how to sign, publish and call it",
    )


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Authors")(new)

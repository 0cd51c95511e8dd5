"""Commands of who writes an extension's page: preview, types. Neither needs the platform."""

import shutil
import threading
from pathlib import Path
from typing import Annotated

import typer

from oriel.cli.authoring import Project
from oriel.cli.options import Json
from oriel.cli.output import out

JSCONFIG = '{"compilerOptions": {"checkJs": true, "paths": {"/oriel/*": ["./%s/*"]}}}'


def preview(
    project: Project = Path(),
    port: Annotated[int, typer.Option("--port", help="The page; 0 for any.")] = 8430,
    ui_port: Annotated[int, typer.Option("--ui-port", help="The UI origin; 0 for any.")] = 8431,
) -> None:
    """Show the project's page as the product would, with answers from mock.json, until Ctrl-C."""
    from oriel.local.preview import previewing

    with previewing(project, port, ui_port) as address:
        out.note(f"[bold]{address}[/]  shows {project.resolve()}; a change is shown at once. Ctrl-C stops it.")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def types(
    out_dir: Annotated[Path, typer.Option("--out", "-o", help="Where the declarations go.")] = Path("types/oriel"),
    json: Json = False,
) -> None:
    """Write TypeScript declarations of /oriel/guest.js and /oriel/host.js, for an editor."""
    from oriel.web_files import web_root

    shutil.copytree(web_root() / "types", out_dir, dirs_exist_ok=True)
    files = sorted(path.relative_to(out_dir).as_posix() for path in out_dir.rglob("*.d.ts"))
    hint = JSCONFIG % out_dir.as_posix()
    out.result({"folder": str(out_dir), "files": files}, f"[bold]{out_dir}[/]  name it in jsconfig.json:\n{hint}")


def register(app: typer.Typer) -> None:
    for command in (preview, types):
        app.command(rich_help_panel="Authors")(command)

"""Commands over executions that were kept whole: fixtures, fixture, replay, test."""

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Struct

from oriel.cli.options import ExtensionId, Json, on_platform
from oriel.cli.output import EXIT_REFUSED, out
from oriel.client import PlatformClient
from oriel.errors import OrielError
from oriel.fixture import Fixture

FIXTURES = "fixtures"
MEBIBYTE = 1 << 20
SHOWN = 2_000

FixtureFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="As 'oriel fixture' has written it.")]
Against = Annotated[
    Path,
    typer.Option("--against", "-a", exists=True, help="A project, a bundle or a component; default: this project."),
]
MaxCpu = Annotated[float | None, typer.Option("--max-cpu-ms", min=0, help="Fail where a run takes more CPU.")]
MaxMemory = Annotated[float | None, typer.Option("--max-memory-mb", min=0, help="Fail where a run takes more memory.")]


def fixtures(platform: PlatformClient, extension: ExtensionId) -> None:
    """List the executions of an install that are kept whole."""
    found = platform.listing(f"/installs/{extension}/fixtures")
    rows = [(line["execution_id"], line["version"], line["reason"]) for line in found]
    out.table(found, ("EXECUTION", "VERSION", "WHY"), rows, "None is kept. Ask for one: oriel call --record.")


def fixture(
    platform: PlatformClient,
    execution_id: Annotated[str, typer.Argument(help="As x-ext-execution-id gives it.")],
    out_file: Annotated[Path | None, typer.Option("--out", "-o", help="Default: fixtures/EXECUTION.json.")] = None,
) -> None:
    """Fetch an execution that was kept whole, to replay it. It holds what was sent and answered: keep it safe."""
    data = platform.download(f"/executions/{execution_id}/fixture")
    target = out_file or Path(FIXTURES, f"{execution_id}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    target.chmod(0o600)
    out.result({"fixture": str(target), "bytes": len(data)}, f"[bold]{target}[/]  {len(data):,} bytes")


def replay(fixture: FixtureFile, against: Against = Path(), json: Json = False) -> None:
    """Run a kept execution again, offline, and show the first difference. With one, exit with 1."""
    from oriel.local.replay import component_at, replays

    kept = Fixture.parse(fixture.read_bytes())
    (done,) = replays(component_at(against), [kept])
    told = None if done.difference is None else _told(done.difference)
    result = {"same": told is None, "difference": told, "receipt": done.receipt.to_plain()}
    used = f"{done.receipt.cpu_ms:.1f} ms of CPU, {done.receipt.peak_memory_bytes / MEBIBYTE:.1f} MiB"
    if told is None:
        out.result(result, f"[bold green]the same[/]  {len(kept.calls)} host calls, {used}")
        return
    out.result(result, f"[bold red]{told['what']} differs[/]{_place(told)}  {used}")
    _show(told)
    raise typer.Exit(EXIT_REFUSED)


class _Judged(Struct, frozen=True):
    """One fixture's verdict: what is wrong, or nothing."""

    name: str
    problem: str
    cpu_ms: float
    memory_mb: float


def run_fixtures(
    project: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The folder of manifest.json.")
    ] = Path(),
    max_cpu_ms: MaxCpu = None,
    max_memory_mb: MaxMemory = None,
    json: Json = False,
) -> None:
    """Run every fixture of a project (fixtures/*.json) against its component. One that differs exits with 1."""
    from oriel.local.replay import component_at, replays

    paths = sorted((project / FIXTURES).glob("*.json"))
    if not paths:
        hint = "Keep one: oriel call --record, then oriel fixture EXECUTION."
        raise OrielError("not_found", f"There are no fixtures in {project / FIXTURES}.", hint=hint)
    kept = [Fixture.parse(path.read_bytes()) for path in paths]
    judged = []
    for path, done in zip(paths, replays(component_at(project), kept), strict=True):
        memory_mb = done.receipt.peak_memory_bytes / MEBIBYTE
        problem = _over(done.receipt.cpu_ms, max_cpu_ms, "ms of CPU") or _over(memory_mb, max_memory_mb, "MiB")
        if done.difference is not None:
            told = _told(done.difference)
            problem = f"{told['what']} differs{_place(told)}"
        judged.append(_Judged(path.name, problem, round(done.receipt.cpu_ms, 3), round(memory_mb, 3)))
    rows = [(one.name, one.problem or "the same", f"{one.cpu_ms:.1f} ms", f"{one.memory_mb:.1f} MiB") for one in judged]
    shown = [
        {"fixture": one.name, "problem": one.problem or None, "cpu_ms": one.cpu_ms, "memory_mb": one.memory_mb}
        for one in judged
    ]
    out.table(shown, ("FIXTURE", "VERDICT", "CPU", "MEMORY"), rows, "")
    if any(one.problem for one in judged):
        raise typer.Exit(EXIT_REFUSED)


def _over(used: float, budget: float | None, unit: str) -> str:
    return f"took {used:.1f} {unit}, over {budget:g}" if budget is not None and used > budget else ""


def _told(difference: Any) -> dict[str, Any]:
    """A difference as JSON."""
    told: dict[str, Any] = {"at": difference.at, "what": difference.what}
    return told | {name: _plain(getattr(difference, name)) for name in ("recorded", "replayed")}


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else msgspec.to_builtins(value)


def _place(told: dict[str, Any]) -> str:
    return "" if told["at"] is None else f", at host call {told['at'] + 1}"


def _show(told: dict[str, Any]) -> None:
    """Both sides, cut where they are long."""
    for side in ("recorded", "replayed"):
        value = told[side]
        text = value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)
        out.note(f"  {side}  {text[:SHOWN].replace('[', chr(92) + '[')}{'…' * (len(text) > SHOWN)}")


def register(app: typer.Typer) -> None:
    for command in (fixtures, fixture):
        app.command(rich_help_panel="Use")(on_platform(command))
    app.command(rich_help_panel="Authors")(replay)
    app.command("test", rich_help_panel="Authors")(run_fixtures)

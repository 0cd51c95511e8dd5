"""Writes docs/reference from the code: errors, command line, WIT, HTTP. A test says whether it is current.

python tools/reference.py           write the files
python tools/reference.py --check   exit 1 where one is not current
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
ERRORS_INTRO = """# Errors

Every error is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `code`, `hint` and
`request_id`; several findings at once stand in `findings`, each with `at` and `message`. An extension's own 4xx and 5xx
answers pass as they are.

| code | status | title | how to mend it |
|---|--:|---|---|
"""
METRICS_INTRO = """# Metrics

The same names at `GET /metrics` for Prometheus (one machine; permission `operate`) and, with `ORIEL_METRICS=emf`, in
CloudWatch's namespace `Oriel`, with the labels as dimensions and once without any. They are read off the execution
log's entries, beside the request path. None has a label for the tenant:
[usage](../guides/operator.md#what-each-tenant-costs) has that.

| name | kind | unit | labels | what |
|---|---|---|---|---|
"""
METRICS_NOW = """
On one machine also, read when they are asked for:

| name | kind | labels | what |
|---|---|---|---|
| `oriel_worker_running` | gauge | `pid` | Executions inside a worker. |
| `oriel_worker_waiting` | gauge | `pid` | Executions that wait for a worker's thread: the queue. |
| `oriel_worker_cpu_seconds` | gauge | `pid` | CPU that a worker has used. |
| `oriel_worker_resident_bytes` | gauge | `pid` | Memory of a worker. |
| `oriel_refusals_total` | counter | `code` | Requests that no execution came of. |
| `oriel_resolution_cache_total` | counter | `result` | Installs looked up: found in the gateway's cache, or read. |
| `oriel_journal_dropped_total` | counter | | Log entries that were lost. |
"""
MADE = "<!-- Made by tools/reference.py; do not edit. -->\n"


def errors() -> str:
    """The catalogue as a table."""
    from oriel.errors import CATALOGUE

    rows = "".join(f"| `{code}` | {kind.status} | {kind.title} | {kind.hint} |\n" for code, kind in CATALOGUE.items())
    return f"{MADE}\n{ERRORS_INTRO}{rows}"


def cli() -> str:
    """Every command with its arguments and options."""
    from oriel.cli import __doc__ as exit_codes
    from oriel.cli import commands

    sections = "\n".join(_command(commands(), "oriel"))
    return f"{MADE}\n# The command line\n\n{(exit_codes or '').partition(chr(10))[2].strip()}\n\n{sections}"


def _command(command: Any, name: str) -> Iterator[str]:
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        for key, child in command.commands.items():
            yield from _command(child, f"{name} {key}")
        return
    usage = " ".join(command.collect_usage_pieces(click.Context(command)))
    yield f"## `{name} {usage}`\n\n{(command.help or '').strip()}\n"
    options = [
        parameter for parameter in command.params if parameter.param_type_name == "option" and not parameter.hidden
    ]
    if options:
        yield "| option | meaning |\n|---|---|"
        yield from (f"| `{', '.join(option.opts)}` | {option.help or ''} |" for option in options)
        yield ""


def wit() -> str:
    """The WIT package as it is."""
    parts = "\n".join(path.read_text() for path in sorted((ROOT / "wit").glob("*.wit")))
    return f"{MADE}\n# WIT\n\nThe package `oriel:extension`, whole.\n\n```wit\n{parts}```\n"


def http() -> str:
    """Every route of the three functions."""
    from http_reference import page

    return f"{MADE}\n{page()}"


def metrics() -> str:
    """The table of metrics."""
    from oriel.metrics import METRICS

    rows = "".join(
        f"| `{metric.name}` | {metric.kind} | {metric.unit} | {', '.join(f'`{label}`' for label in metric.labels)} "
        f"| {metric.help} |\n"
        for metric in METRICS.values()
    )
    return f"{MADE}\n{METRICS_INTRO}{rows}{METRICS_NOW}"


PAGES: dict[str, Callable[[], str]] = {
    "errors.md": errors,
    "cli.md": cli,
    "wit.md": wit,
    "http.md": http,
    "metrics.md": metrics,
}


def main(arguments: list[str]) -> int:
    stale = []
    for name, make in PAGES.items():
        path, text = REFERENCE / name, make()
        if path.is_file() and path.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    if stale and "--check" in arguments:
        print(f"Not current: {', '.join(stale)}. Run: python tools/reference.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the command line prints: for people on a terminal, or one JSON value with `--json`.

Standard output holds the result and nothing else; progress and errors go to standard error.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from oriel.errors import OrielError

EXIT_REFUSED = 1
EXIT_UNAVAILABLE = 3


class Output:
    """One process's output; `as_json` is set by the option `--json`."""

    def __init__(self) -> None:
        self.as_json = False
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    def result(self, value: Any, text: str) -> None:
        """Print the result: `value` with `--json`, else `text` (console markup)."""
        if self.as_json:
            print(json.dumps(value, indent=2, ensure_ascii=False, default=str))
        else:
            self._out.print(text)

    def raw(self, data: bytes) -> None:
        """Write bytes to standard output as they are."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)

    def table(self, value: Any, columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
        """Print a listing: `value` with `--json`, else a table, or `empty` where there are no rows."""
        if self.as_json or not rows:
            self.result(value, empty)
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self._out.print(table)

    def note(self, text: str) -> None:
        """A line of progress or advice, on standard error."""
        if not self.as_json:
            self._err.print(text)

    @contextmanager
    def progress(self, text: str) -> Iterator[Callable[[str], None]]:
        """A spinner on a terminal, plain lines elsewhere, nothing with `--json`."""
        if self.as_json or not self._err.is_terminal:
            yield self.note
        else:
            with self._err.status(text) as status:
                yield lambda line: status.update(f"{text}: {line}")

    def error(self, error: OrielError) -> int:
        """Print an error and return the exit code."""
        if self.as_json:
            print(json.dumps(error.problem("")))
        else:
            what, _, remedy = error.diagnostics().rpartition("\n")
            self._err.print("[bold red]error[/] ", end="")
            self._err.print(what, markup=False)
            self._err.print(f"  → {remedy}", markup=False, style="cyan")
        return EXIT_UNAVAILABLE if error.status == 503 else EXIT_REFUSED


def pairs(values: Sequence[str], option: str) -> Mapping[str, str]:
    """`["a=1"]` gives `{"a": "1"}`; an entry without `=` is refused by name."""
    for value in values:
        if "=" not in value:
            raise OrielError("invalid_input", f"{option} {value!r} has no '='.", hint=f"Write {option} NAME=VALUE.")
    return dict(value.split("=", 1) for value in values)


out = Output()

"""Guests' log lines as people look for them: out of executions, by level and by text. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, get_args

Level = Literal["debug", "info", "warn", "error"]
LEVELS: Final[Sequence[Level]] = get_args(Level)


def lines_of(execution: Mapping[str, Any], level: Level = "debug", text: str = "") -> Iterator[dict[str, Any]]:
    """The lines of one execution, in order, each with what it belongs to and `at`, in Unix milliseconds.

    Args:
        execution: with the fields of `oriel.store.records.Execution`.
        level: the lowest that is shown.
        text: what a line's message or the value of one of its fields has in it, whatever the case.
    """
    wanted, lowest = text.casefold(), LEVELS.index(level)
    for line in execution["logs"]:
        said = [line["message"], *line.get("fields", {}).values()]
        if LEVELS.index(line["level"]) >= lowest and any(wanted in part.casefold() for part in said):
            yield {
                "at": execution["started_at"] + line["at_ms"],
                "level": line["level"],
                "message": line["message"],
                "fields": line.get("fields", {}),
                "execution_id": execution["execution_id"],
                "extension_id": execution["extension_id"],
                "version": execution["version"],
            }

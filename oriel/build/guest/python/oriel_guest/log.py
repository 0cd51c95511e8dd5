"""Lines in the extension's log, beside the execution's ids. Always there.

`log.info("approved", id=claim.id)`. `print` and the `logging` module end up here too. Past the execution's allowance
lines are dropped and counted; logging never fails.
"""

from typing import Any

from oriel_guest._host import interface


def debug(message: str, **fields: Any) -> None:
    emit("debug", message, fields)


def info(message: str, **fields: Any) -> None:
    emit("info", message, fields)


def warn(message: str, **fields: Any) -> None:
    emit("warn", message, fields)


def error(message: str, **fields: Any) -> None:
    emit("error", message, fields)


def emit(level: str, message: str, fields: dict[str, Any]) -> None:
    """One line. `level` is `debug`, `info`, `warn` or `error`; the fields' values are written with `str`."""
    wit = interface("log", "log.emit")
    wit.emit(wit.Level[level.upper()], message, [wit.Field(name, str(value)) for name, value in fields.items()])

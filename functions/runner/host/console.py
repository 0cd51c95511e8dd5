"""What a component prints: lines in the extension's log.

Rules kept here:

- A line ends at a newline, at the end of the execution, or where it is longer than a log line may be.
- The log's own rules and budget hold; a flood costs no more than counting its lines.
"""

from collections.abc import Mapping
from typing import Final

from runner.execution import Execution, Printed
from runner.host import log

_LEVELS: Final[Mapping[Printed, log.Level]] = {"stdout": "info", "stderr": "error"}


def write(execution: Execution, stream: Printed, data: bytes) -> None:
    """Log the lines that `data` completes, and keep the rest."""
    if execution.budgets.log_is_full():
        execution.budgets.log_dropped += data.count(b"\n")
        return
    *lines, rest = (execution.printed.pop(stream, b"") + data).split(b"\n")
    for line in lines:
        _emit(execution, stream, line)
    if len(rest) > log.MAX_MESSAGE_BYTES:
        _emit(execution, stream, rest)
    elif rest:
        execution.printed[stream] = rest


def finish(execution: Execution) -> None:
    """The execution is over: what was begun is a line."""
    for stream in tuple(execution.printed):
        _emit(execution, stream, execution.printed.pop(stream))


def _emit(execution: Execution, stream: Printed, line: bytes) -> None:
    text = line.rstrip(b"\r")
    if text.strip():
        # More than a line's bytes are shown as cut; the rest need not be decoded.
        message = text[: 2 * log.MAX_MESSAGE_BYTES].decode(errors="replace")
        log.emit(execution, _LEVELS[stream], message, [{"name": "stream", "value": stream}])

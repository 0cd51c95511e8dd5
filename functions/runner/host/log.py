"""`oriel:extension/log`: lines in the extension's log.

Rules kept here:

- A line is cut between characters, never within one, and control characters are written as escapes, so that no
  line can forge another or move a terminal's cursor.
- Values of secrets that this execution has opened are replaced before anything is cut.
- Past the allowance lines are dropped and counted. Logging never fails a request.
"""

import re
from typing import Literal, TypeAlias, TypedDict

from oriel.contract import LogLine
from runner.execution import Execution

MAX_MESSAGE_BYTES = 8_192
MAX_FIELDS = 32
MAX_NAME_BYTES = 64
MAX_VALUE_BYTES = 1_024
ELLIPSIS = "…"

Level: TypeAlias = Literal["debug", "info", "warn", "error"]

# C0, DEL and C1 controls, the line and paragraph separators, and the characters that reorder text.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Field(TypedDict):
    name: str
    value: str


def emit(execution: Execution, level: Level, message: str, fields: list[Field]) -> None:
    budgets = execution.budgets
    if budgets.log_is_full():
        budgets.log_dropped += 1
        return
    redact = execution.secrets.redact
    text = safe(redact(message), MAX_MESSAGE_BYTES)
    pairs = {
        safe(redact(field["name"]), MAX_NAME_BYTES): safe(redact(field["value"]), MAX_VALUE_BYTES)
        for field in fields[:MAX_FIELDS]
    }
    size = _size(text) + sum(_size(name) + _size(value) for name, value in pairs.items())
    if budgets.charge_log(size):
        at_ms = round(execution.elapsed_ms(), 3)
        execution.lines.append(LogLine(at_ms=at_ms, level=level, message=text, fields=pairs))


def safe(text: str, limit: int) -> str:
    """`text` with unsafe characters escaped, in at most `limit` bytes of UTF-8; an ellipsis marks a cut."""
    # No character grows smaller by escaping, so what lies behind the first `limit` characters never shows.
    escaped = _UNSAFE.sub(_escape, text[: limit + 1])
    data = escaped.encode()
    if len(data) <= limit:
        return escaped
    return data[: limit - _size(ELLIPSIS)].decode(errors="ignore") + ELLIPSIS


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _size(text: str) -> int:
    return len(text.encode())

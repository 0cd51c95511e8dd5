"""JSON from strangers, read so that everybody who reads it sees the same value.

Rules kept here:

- Bounded before it is believed: bytes first, then depth.
- One meaning: no duplicate keys (RFC 8259 leaves open which one counts), no NaN or infinities, no number that
  overflows to one, no lone surrogates, no byte order mark, nothing but UTF-8.
"""

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 32


class JsonError(ValueError):
    """Why the text is not taken, in words that go after "The … is not valid JSON:"."""


def loads(data: bytes | str, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text.

    Args:
        data: the text; bytes are UTF-8.
        max_bytes: refused before it is parsed where it is longer than this in UTF-8.
        max_depth: how deep arrays and objects may nest.

    Raises:
        JsonError: with the reason, and with line and column where there is one.
    """
    text = _text(data, max_bytes)
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    _check(value, max_depth, max_depth)
    return value


def dumps(value: Any) -> bytes:
    """The compact form of a JSON value with sorted keys: equal values give equal bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _text(data: bytes | str, max_bytes: int) -> str:
    try:
        raw = data if isinstance(data, bytes) else data.encode()
        if len(raw) > max_bytes:
            raise JsonError(f"it has {len(raw):,} bytes; at most {max_bytes:,} are allowed")
        text = raw.decode()
    except UnicodeError:
        raise JsonError("it is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise JsonError("it starts with a byte order mark; save it without one")
    return text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise JsonError(f"the key {shown(key)} stands twice in one object")
        found[key] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonError(f"the number {shown(text)} is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > 20:
        raise JsonError(f"the number {shown(text)} is too large")
    return int(text)


def _check(value: Any, left: int, max_depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if left == 0:
            raise _too_deep(max_depth)
        if isinstance(value, dict):
            for key in value:
                _check_text(key)
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, left - 1, max_depth)


def _check_text(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise JsonError("a string holds half of a surrogate pair")


def _too_deep(max_depth: int) -> JsonError:
    return JsonError(f"it nests deeper than {max_depth} levels")


def shown(text: str) -> str:
    """A text of a stranger, in quotes and short enough for a message."""
    return repr(text if len(text) <= 60 else text[:57] + "…")

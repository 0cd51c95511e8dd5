"""Secrets' values taken out of whatever holds them, in the forms in which they travel.

Rules kept here:

- A value is found as it stands, percent-encoded, in hex, and in base64 wherever it begins in what was encoded; there a
  character on either side goes too, which may hold bits of it. What a guest computes from a secret otherwise (a
  signature, a hash) is not the secret and stays.
- Longer forms go first, so that none leaves a tail.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from oriel.fixture import REDACTED


class Redactor:
    """Replaces values by `REDACTED` in text, bytes, and all that is made of them."""

    def __init__(self, values: Iterable[str]) -> None:
        forms = sorted({form for value in values for form in _forms(value)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(forms)) if forms else None

    def clean(self, value: Any) -> Any:
        """The same value without secrets."""
        if self._pattern is None:
            return value
        match value:
            case str():
                return self._pattern.sub(REDACTED, value)
            case bytes() | bytearray():
                # latin-1 gives every byte a character: UTF-8's own are looked for in their bytes.
                return self._pattern.sub(REDACTED, bytes(value).decode("latin-1")).encode("latin-1")
            case tuple() | list():
                return type(value)(self.clean(item) for item in value)
            case dict():
                return {self.clean(name): self.clean(item) for name, item in value.items()}
        return value


def _forms(value: str) -> Iterator[str]:
    """Patterns of a value."""
    raw = value.encode()
    yield re.escape(value)
    yield re.escape(raw.decode("latin-1"))
    for quoted in {quote(value), quote(value, safe=""), quote_plus(value)}:
        yield re.escape(quoted)
    yield f"(?i:{raw.hex()})"
    for before in range(3):
        yield _base64_form(raw, before)


def _base64_form(raw: bytes, before: int) -> str:
    """The value in base64 behind `before` bytes (modulo 3), with the characters that hold a part of it."""
    encoded = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
    whole = encoded[(8 * before + 5) // 6 : (8 * (before + len(raw))) // 6]
    both = re.escape(whole).replace(r"\+", "[+-]").replace("/", "[/_]")
    return f"[A-Za-z0-9+/_-]?{both}[A-Za-z0-9+/_-]?={{0,2}}"

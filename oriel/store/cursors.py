"""Cursors of listings: opaque to the caller, the last key of the page to the store.

A page goes on *after* the cursor's key, so that nothing is lost or doubled, whatever is added or removed meanwhile.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from oriel.errors import OrielError


def encode_cursor(key: bytes) -> str:
    """URL-safe and without padding."""
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def decode_cursor(cursor: str) -> bytes:
    """The key in `cursor`; `OrielError` `malformed_request` where it is not one that was handed out."""
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key or encode_cursor(key) != cursor:
        raise OrielError("malformed_request", "The cursor is not one that was handed out.")
    return key


def decode_text_cursor(cursor: str) -> str:
    """The same for keys that are text."""
    try:
        return decode_cursor(cursor).decode()
    except UnicodeDecodeError:
        raise OrielError("malformed_request", "The cursor is not one that was handed out.") from None


def encode_json_cursor(parts: Sequence[str | int]) -> str:
    """A cursor of several parts."""
    return encode_cursor(json.dumps(list(parts), separators=(",", ":")).encode())


def decode_json_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The parts, each of its kind; `malformed_request` where they are not."""
    try:
        parts = json.loads(decode_cursor(cursor))
    except ValueError:
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise OrielError("malformed_request", "The cursor is not one that was handed out.")
    return parts

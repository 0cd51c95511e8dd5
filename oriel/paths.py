"""Strict reading of request paths: the one parser for the gateway, the UI origin and every proxy between them.

Rules kept here:

- A path is read once, from the bytes the client sent (the ASGI scope's `raw_path`), never from a decoded copy.
- Each segment is percent-decoded once. What still holds an escape afterwards was encoded twice, and is refused:
  nothing behind Oriel can decode it into something else.
- A decoded segment is plain text of one segment: UTF-8, without slashes, backslashes, `;` or control characters, and
  it does not start with a dot. That refuses `.` and `..` in every spelling, and hidden files and `.well-known` with
  them: nothing that Oriel serves, and no endpoint of an extension, starts with a dot. Characters that compatibility
  normalisation (NFKC) turns into one of these, such as the fullwidth full stop, count as what they turn into.
- Empty segments are refused. One slash at the end is allowed and means nothing: `/a/` is `/a`.
- A path that is not allowed is refused, never mended.
"""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from oriel.errors import OrielError

MAX_PATH_BYTES = 8_192
MAX_SEGMENT_BYTES = 1_024
MAX_SEGMENTS = 64

_RAW = re.compile(r"[\x21-\x7e]*")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f/\\;\u2028\u2029]")


def clean_segments(raw_path: str | bytes) -> tuple[str, ...]:
    """The decoded segments of a raw, percent-encoded path that starts with `/`; `()` for `/` itself.

    Args:
        raw_path: the path as it came over the wire, without the query string.

    Raises:
        OrielError: `invalid_path`; the detail says which segment, counted from 1, and what is wrong with it.
    """
    path = raw_path.decode("latin-1") if isinstance(raw_path, bytes) else raw_path
    if len(path) > MAX_PATH_BYTES:
        raise _refused(f"The path has more than {MAX_PATH_BYTES:,} bytes.")
    if not path.startswith("/"):
        raise _refused("The path does not start with '/'.")
    if not _RAW.fullmatch(path):
        raise _refused("The path holds a space, a control character or one that is not ASCII; percent-encode it.")
    parts = path[1:].removesuffix("/").split("/") if path != "/" else []
    if len(parts) > MAX_SEGMENTS:
        raise _refused(f"The path has more than {MAX_SEGMENTS} segments.")
    return tuple(_decoded(part, number) for number, part in enumerate(parts, 1))


def _decoded(part: str, number: int) -> str:
    where = f"Segment {number} of the path"
    if not part:
        raise _refused(f"{where} is empty: two slashes stand side by side.")
    if len(part) > MAX_SEGMENT_BYTES:
        raise _refused(f"{where} has more than {MAX_SEGMENT_BYTES:,} bytes.")
    if _BROKEN_ESCAPE.search(part):
        raise _refused(f"{where} has a '%' without two hexadecimal digits.")
    try:
        segment = unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(f"{where} is not UTF-8.") from None
    if reason := _wrong_with(segment):
        raise _refused(f"{where} {reason}.")
    return segment


def _wrong_with(segment: str) -> str | None:
    plain = segment if segment.isascii() else unicodedata.normalize("NFKC", segment)
    if plain.startswith("."):
        return "starts with a dot"
    if _FORBIDDEN.search(segment) or _FORBIDDEN.search(plain):
        return "holds a slash, a backslash, a semicolon or a control character"
    if _ESCAPE.search(plain):
        return "is percent-encoded twice"
    return None


def _refused(detail: str) -> OrielError:
    return OrielError("invalid_path", detail)
